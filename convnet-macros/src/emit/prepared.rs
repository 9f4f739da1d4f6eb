//! `impl Prepare`: the forward pass over packed filters, group by group; image by image up to each large
//! `fc`, where several are computed at once.

use convnet_core::plan::{Group, Place};
use proc_macro2::TokenStream;

use super::inference::step;
use super::types::field;
use super::{Kind, Network, Which, code, literal, nested, own, segments};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        name,
        layers,
        ..
    } = network;
    let last = layers.len() - 1;
    let (output, at) = (network.volume(last), network.to(last, Which::Prepared));
    let scalars = network.scalars(network.totals.prepared, &code!(totals.prepared));
    let groups = || (0..=last).filter_map(|i| Some((i, group(network, i)?)));
    let is_network = |i: usize| matches!(layers[i].kind, Kind::Network { .. });
    let packing = match (0..=last).any(is_network) {
        true => nested::packing(network),
        false => {
            let lines = groups().map(|(i, group)| packing(network, i, group));
            code!(&[#(#lines),*])
        }
    };
    let packs = (0..=last).map(|i| {
        if is_network(i) {
            let layer = network.value(i);
            return code!(#krate::prepare::Prepare::pack(&#layer, packer););
        }
        let Some(group) = group(network, i) else {
            return TokenStream::new();
        };
        let group = value(network, i, group);
        let (x, y) = (network.input_of(i), network.volume(i));
        code!(packer.pack::<#x, #y, _, _>(&#group);)
    });
    let bounds = nested::bounds(network);
    let is_pooled = |i: usize| groups().any(|(_, group)| group.pool == Some(i));
    let takes_micro_batches = segments::takes_micro_batches(network);
    let (mut steps, mut alone) = (Vec::new(), Vec::new());
    for i in 0..=last {
        match group(network, i) {
            Some(group) if segments::may_batch(network, i) => {
                steps.push(each(&mut alone));
                steps.push(at_once(network, i, group));
            }
            Some(group) => alone.push(forward(network, i, group)),
            None if is_network(i) => alone.push(nested::forward_packed(network, i)),
            None if is_pooled(i) => {}
            None => alone.push(step(network, i, Which::Prepared)),
        }
    }
    steps.push(each(&mut alone));
    code! {
        impl<T: #krate::Real> #krate::prepare::Prepare for #name<T> #bounds {
            type Overlay = #krate::Overlay<T, #scalars>;
            const PACKING: &'static [#krate::prepare::Packing] = #packing;
            #takes_micro_batches

            fn pack(&self, packer: &mut #krate::prepare::Packer<'_, T>) {
                let _ = &packer;
                #(#packs)*
            }

            fn forward_packed(
                &self,
                packed: &mut #krate::prepare::Reader<'_, T>,
                images: &mut [#krate::prepare::Image<'_, Self>],
            ) {
                #(#steps)*
            }

            fn output_in(memory: &Self::Overlay) -> &Self::Output {
                memory.at::<#output, #at>()
            }
        }
    }
}

/// The group that begins with layer `i`.
pub(super) fn group(network: &Network, i: usize) -> Option<Group> {
    network.steps[i].group
}

/// What the group is packed for.
pub(super) fn packing(network: &Network, i: usize, group: Group) -> TokenStream {
    let krate = &network.krate;
    let (name, layer) = (&network.layers[i].path, field(network, i));
    let (x, y) = (network.input_of(i), network.volume(i));
    let norm = match group.norm {
        Some(norm) => field(network, norm),
        None => code!(()),
    };
    let packing = own(match network.steps[i].prepared.adds {
        Some(_) => "packing_onto",
        None => "packing",
    });
    code!(#krate::prepare::#packing::<#x, #y, #layer, #norm>(#name))
}

/// The filters of layer `i` with what follows them.
fn value(network: &Network, i: usize, group: Group) -> TokenStream {
    let krate = &network.krate;
    let filters = network.value(i);
    let norm = match group.norm {
        Some(norm) => {
            let norm = network.value(norm);
            code!(&#norm)
        }
        None => code!(&()),
    };
    let clamps = match network.steps[i].prepared.adds {
        Some(clamps) => group.last() + 2..group.last() + 2 + clamps,
        None => group.last() + 1 - group.clamps..group.last() + 1,
    };
    let clamps = clamps.map(|clamp| {
        let clamp = own(network.layers[clamp].kind.variant());
        code!(#krate::kernel::Clamp::#clamp)
    });
    let clamp = clamps.reduce(|clamp, next| code!(#clamp.then(#next)));
    let clamp = clamp.unwrap_or_else(|| code!(#krate::kernel::Clamp::None));
    code!(#krate::prepare::Group { filters: &#filters, norm: #norm, clamp: #clamp })
}

/// Steps that images take one by one; takes them.
fn each(steps: &mut Vec<TokenStream>) -> TokenStream {
    if steps.iter().all(TokenStream::is_empty) {
        return TokenStream::new();
    }
    let steps = steps.drain(..);
    code! {
        packed.each(images, |packed, image| {
            let (input, memory) = (image.input, &mut *image.memory);
            let _ = (&packed, input);
            #(#steps)*
        });
    }
}

/// A group that several images go through at once.
fn at_once(network: &Network, i: usize, it: Group) -> TokenStream {
    let (group, bind) = (value(network, i, it), bind(network, i, &network.volume(i)));
    code! {
        packed.forward_batch(&#group, ::core::iter::Iterator::map(images.iter_mut(), |image| {
            let (input, memory) = (image.input, &mut *image.memory);
            let _ = input;
            #bind
            (x, y)
        }));
    }
}

fn forward(network: &Network, i: usize, it: Group) -> TokenStream {
    if let Some(pool) = it.pool {
        return pooled(network, i, it, pool);
    }
    let group = value(network, i, it);
    let bind = bind(network, i, &network.volume(i));
    let run = own(match network.steps[i].prepared.adds {
        Some(_) => "add",
        None => "forward",
    });
    code! {
        #bind
        packed.#run(&#group, x, y);
    }
}

/// The map, and then the pool of it: the plan says how much of the map there is, and of its input
/// when the pool comes.
fn pooled(network: &Network, i: usize, it: Group, pool: usize) -> TokenStream {
    let krate = &network.krate;
    let (group, pool_value) = (value(network, i, it), network.value(pool));
    let [x, y, z] = [network.input_of(i), network.volume(i), network.volume(pool)];
    let [rows, x_rows] = match &network.plan {
        Some(plan) => [
            code!({ #plan.steps[#i].prepared.rows }),
            code!({ #plan.steps[#i].prepared.x_rows }),
        ],
        None => {
            let step = &network.steps[i].prepared;
            [step.rows, step.x_rows].map(literal)
        }
    };
    let [width, depth] = [1, 2].map(|axis| network.axis(i, axis));
    let map = code!(#krate::Volume<T, #rows, #width, #depth>);
    let (map_at, z_at) = (
        network.to(i, Which::Prepared),
        network.to(pool, Which::Prepared),
    );
    let first = bind(network, i, &map);
    let second = match network.pass(i, Which::Prepared).0.from {
        Place::At(_) => {
            let [width, depth] = [1, 2].map(|axis| network.axis_before(i, axis));
            let x = code!(#krate::Volume<T, #x_rows, #width, #depth>);
            let x_at = match &network.plan {
                Some(plan) => code!({ #plan.steps[#i].prepared.x_scalar() }),
                None => literal(network.steps[i].prepared.x_scalar()),
            };
            code! {
                let (x, map, z) = memory.read_one::<#x, #x_at, #map, #map_at, #z, #z_at>();
            }
        }
        Place::Input | Place::Output => code! {
            let x = input;
            let (map, z) = memory.pair_mut::<#map, #map_at, #z, #z_at>();
        },
    };
    code! {
        #first
        packed.map::<#x, #y, _, _>(&#group, x, y.as_mut_slice());
        #second
        packed.pool::<#x, #y, #z, _, _, _>(&#group, &#pool_value, x.as_slice(), map.as_mut_slice(), z);
    }
}

/// `x`, and `y` of type `to`.
fn bind(network: &Network, i: usize, to: &TokenStream) -> TokenStream {
    let x = network.input_of(i);
    let (x_at, y_at) = (
        network.from(i, Which::Prepared),
        network.to(i, Which::Prepared),
    );
    match network.pass(i, Which::Prepared).0.from {
        Place::At(_) => code!(let (x, y) = memory.pair::<#x, #x_at, #to, #y_at>();),
        Place::Input | Place::Output => code!(let (x, y) = (input, memory.at_mut::<#to, #y_at>());),
    }
}
