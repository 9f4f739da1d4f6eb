//! Of a network that ends in `outputs { … }`, each of them by its name.

use convnet_core::graph::Op;
use proc_macro2::{Ident, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;

use super::{Network, code, nested, types};

/// The type of all outputs, and the function that finds them in what the network gives.
pub(super) fn emit(network: &Network) -> TokenStream {
    let outputs: Vec<usize> = all(network).collect();
    let Some(&last) = outputs.last() else {
        return TokenStream::new();
    };
    let Network {
        krate,
        name,
        visibility,
        ..
    } = network;
    let all = constant(network);
    let ty = format_ident!("{}Outputs", name.unraw(), span = name.span());
    let about_type = format!(" What [`{name}`] gives: see [`outputs`]({name}::outputs).");
    let list = outputs.iter().map(|&i| {
        let (path, at) = (&network.layers[i].path, types::slice(network, i));
        let [h, w, d] = [0, 1, 2].map(|axis| network.axis_before(i, axis));
        code!(#krate::OutputOf { name: #path, volume: [#h, #w, #d], at: #at },)
    });
    let fields = outputs.iter().map(|&i| {
        let (field, volume) = (&network.layers[i].name, network.input_in_full(i));
        let about = format!(" The output `{}`.", network.layers[i].path);
        code!(#[doc = #about] pub #field: &'a #volume,)
    });
    let parts = outputs.iter().map(|&i| {
        let (field, at) = (&network.layers[i].name, types::slice(network, i));
        code!(#field: all.part::<#at, _, _, _>(),)
    });
    let output = network.volume_in_full(last);
    let bounds = nested::bounds(network);
    code! {
        #[doc(hidden)]
        const #all: &[#krate::OutputOf<'static>] = &[#(#list)*];

        #[doc = #about_type]
        #[derive(Clone, Copy, Debug)]
        #[allow(dead_code)]
        #visibility struct #ty<'a, T = ::core::primitive::f32> {
            #(#fields)*
        }

        impl #name<::core::primitive::f32> {
            /// Where each output lies in the vector that `forward` gives.
            pub const OUTPUTS: &'static [#krate::OutputOf<'static>] = #all;
        }

        impl<T: #krate::Real> #name<T> #bounds {
            /// Each output by its name, of all that [`forward`](Self::forward) gives.
            #[must_use]
            pub fn outputs(all: &#output) -> #ty<'_, T> {
                #ty { #(#parts)* }
            }
        }
    }
}

/// What the trait says of them.
pub(super) fn listed(network: &Network) -> TokenStream {
    let (krate, list) = (&network.krate, constant(network));
    match all(network).next() {
        Some(_) => code!(const OUTPUTS: &'static [#krate::OutputOf<'static>] = #list;),
        None => TokenStream::new(),
    }
}

fn constant(network: &Network) -> Ident {
    network.constant("OUTPUTS")
}

/// The ends of its branches.
fn all(network: &Network) -> impl Iterator<Item = usize> {
    let layers = network.layers.iter().enumerate();
    layers.filter_map(|(i, layer)| matches!(layer.kind, Op::Outputs { .. }).then_some(i))
}
