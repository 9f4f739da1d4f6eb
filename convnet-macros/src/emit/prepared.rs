//! `impl Prepare`: the forward pass over packed filters, each relu fused into the conv before it.

use convnet_core::plan::{How, Place};
use proc_macro2::TokenStream;

use super::inference::step;
use super::structure::field;
use super::{Kind, Network, Which, code, nested};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        name,
        layers,
        ..
    } = network;
    let last = layers.len() - 1;
    let (output, at) = (network.volume(last), network.to(last, Which::Arena));
    let convs = || (0..layers.len()).filter(|&i| is_packed(network, i));
    let is_network = |i: usize| matches!(layers[i].kind, Kind::Network(_));
    let packing = match (0..layers.len()).any(is_network) {
        true => nested::packing(network),
        false => {
            let lines = convs().map(|i| packing(network, i));
            code!(&[#(#lines),*])
        }
    };
    let packs = (0..layers.len()).map(|i| {
        let layer = network.value(i);
        let (x, y) = (network.input_of(i), network.volume(i));
        match &layers[i].kind {
            Kind::Network(_) => code!(#krate::prepare::Prepare::pack(&#layer, packer);),
            _ if is_packed(network, i) => code!(packer.pack::<#x, #y, _>(&#layer);),
            _ => TokenStream::new(),
        }
    });
    let bounds = nested::bounds(network);
    let steps = (0..layers.len()).map(|i| match is_packed(network, i) {
        true => packed_step(network, i),
        false if matches!(layers[i].kind, Kind::Network(_)) => nested::forward_packed(network, i),
        false if i > 0 && fuses(network, i - 1) => TokenStream::new(),
        false if (0..i).any(|conv| pool_after(network, conv) == Some(i)) => TokenStream::new(),
        false => step(network, i, Which::Arena),
    });
    code! {
        impl<T: #krate::Real> #krate::prepare::Prepare for #name<T> #bounds {
            const PACKING: &'static [#krate::prepare::Packing] = #packing;

            fn pack(&self, packer: &mut #krate::prepare::Packer<'_, T>) {
                let _ = &packer;
                #(#packs)*
            }

            fn forward_packed<'a>(
                &self,
                packed: &mut #krate::prepare::Reader<'_, T>,
                input: &Self::Input,
                memory: &'a mut Self::Arena,
            ) -> &'a Self::Output {
                let _ = &packed;
                #(#steps)*
                memory.at::<#output, #at>()
            }
        }
    }
}

/// What the conv `i` is packed for.
pub(super) fn packing(network: &Network, i: usize) -> TokenStream {
    let krate = &network.krate;
    let (name, layer) = (&network.layers[i].path, field(network, i));
    let (x, y) = (network.input_of(i), network.volume(i));
    code!(#krate::prepare::packing::<#layer, #x, #y>(#name))
}

/// Whether layer `i` is a conv that writes all of its volume at once.
pub(super) fn is_packed(network: &Network, i: usize) -> bool {
    matches!(network.layers[i].kind, Kind::Conv { .. })
        && matches!(network.pass(i, Which::Arena).0.how, How::Apart)
}

/// Whether layer `i` is a conv, and the relu after it works where its output lies.
fn fuses(network: &Network, i: usize) -> bool {
    is_packed(network, i)
        && network.layers.get(i + 1).is_some_and(|next| {
            matches!(next.kind, Kind::Relu)
                && matches!(network.pass(i + 1, Which::Arena).0.how, How::InPlace)
        })
}

/// The max pool that reads what the conv `i`, or the relu after it, leaves; and nothing else does: in
/// a network with blocks something might.
fn pool_after(network: &Network, i: usize) -> Option<usize> {
    let next = if fuses(network, i) { i + 2 } else { i + 1 };
    // Layer j writes volume j + 1.
    let read_again = network.layers.iter().any(|layer| match &layer.kind {
        Kind::Block(op) => op.names().is_some_and(|v| i < v && v <= next),
        _ => false,
    });
    let pools = is_packed(network, i)
        && matches!(network.layers.get(next)?.kind, Kind::MaxPool(_))
        && matches!(network.pass(next, Which::Arena).0.how, How::Apart)
        && !read_again;
    pools.then_some(next)
}

fn packed_step(network: &Network, i: usize) -> TokenStream {
    if let Some(pool) = pool_after(network, i) {
        return pooled_step(network, i, pool);
    }
    let (layer, relu) = (network.value(i), fuses(network, i));
    let (x, y) = (network.input_of(i), network.volume(i));
    let (from, to) = (network.from(i, Which::Arena), network.to(i, Which::Arena));
    match network.pass(i, Which::Arena).0.from {
        Place::At(_) => code! {
            let (x, y) = memory.pair::<#x, #from, #y, #to>();
            packed.forward(&#layer, #relu, x, y);
        },
        Place::Input | Place::Output => code! {
            packed.forward(&#layer, #relu, input, memory.at_mut::<#y, #to>());
        },
    }
}

fn pooled_step(network: &Network, i: usize, pool: usize) -> TokenStream {
    let krate = &network.krate;
    let (layer, relu, pool_value) = (network.value(i), fuses(network, i), network.value(pool));
    let [x, y, z] = [network.input_of(i), network.volume(i), network.volume(pool)];
    let (from, to) = (network.from(i, Which::Arena), network.to(i, Which::Arena));
    let pooled_to = network.to(pool, Which::Arena);
    let first = match network.pass(i, Which::Arena).0.from {
        Place::At(_) => code!(let (x, y) = memory.pair::<#x, #from, #y, #to>();),
        Place::Input | Place::Output => code!(let (x, y) = (input, memory.at_mut::<#y, #to>());),
    };
    let Kind::MaxPool(window) = &network.layers[pool].kind else {
        return TokenStream::new();
    };
    let ([fh, fw], slide) = (&window.size, network.slide(pool, window));
    code! {
        #first
        let pooled = packed.forward_pooled::<#x, #y, #z, _, #krate::layer::MaxPool<#fh, #fw, #slide>>(
            &#layer, #relu, x, y,
        );
        let (y, z) = memory.pair::<#y, #to, #z, #pooled_to>();
        pooled.finish(&#pool_value, y, z);
    }
}
