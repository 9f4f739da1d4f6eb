//! Where the tensors lie, for `weights!`.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::{Network, at, code, literal, nested, own, parameters, types};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    let (mut offsets, mut parts, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut known, mut inside) = (0, Vec::new());
    for (i, layer) in network.fields() {
        let field = &layer.name;
        if let Some(tensors) = nested::elsewhere(network, i) {
            let ty = types::field(network, i);
            let base = code!(::core::mem::offset_of!(Self, #field));
            parts.push(code!((0, &[#(#offsets),*])));
            parts.push(code!((#base, <#ty as #krate::flash::InFlash>::OFFSETS)));
            known += offsets.len();
            offsets.clear();
            inside.push(tensors);
            bounds.push(quote_spanned!(at(&ty)=> for<'__any> #ty: #krate::flash::InFlash,));
            continue;
        }
        offsets.extend(parameters::tensors(network, i).iter().map(|tensor| {
            let tensor = own(tensor.field);
            code!(::core::mem::offset_of!(Self, #field.#tensor))
        }));
    }
    let bounds = match parts.is_empty() {
        true => TokenStream::new(),
        false => {
            let same = nested::bounds(network);
            code!(#same #(#bounds)*)
        }
    };
    let all = match parts.as_slice() {
        [] => code!(&[#(#offsets),*]),
        parts => {
            let count = literal(offsets.len() + known);
            code! {
                &#krate::join::offsets::<{ #count #(+ #inside.len())* }>(
                    &[#(#parts,)* (0, &[#(#offsets),*])],
                )
            }
        }
    };
    code! {
        // SAFETY: each is the offset of a field that is an array of scalars, or lies in one that says
        // so of its own.
        unsafe impl<T: #krate::Real> #krate::flash::InFlash for #name<T> #bounds {
            const OFFSETS: &'static [::core::primitive::usize] = #all;
        }
    }
}
