//! Names for the types of volumes, where their sizes are constants of the plan.

use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;

use super::{Network, code};

pub(super) fn emit(network: &Network) -> TokenStream {
    if network.plan.is_none() {
        return TokenStream::new();
    }
    let shapes = (0..network.layers.len()).filter(|&i| network.shaped_by(i) == Some(i));
    let types = shapes.map(|i| {
        let (name, volume) = (name(network, i), network.volume_in_full(i));
        code! {
            #[doc(hidden)]
            type #name<T> = #volume;
        }
    });
    types.collect()
}

/// What the volume that layer `i` writes is called.
pub(super) fn name(network: &Network, i: usize) -> Ident {
    let of = network.name.unraw();
    format_ident!("__VOLUME_{}_OF_{of}", i, span = Span::mixed_site())
}
