//! The struct: parameters and nothing else.

use proc_macro2::TokenStream;

use super::types::field;
use super::{Kind, Network, code};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        attributes,
        visibility,
        name,
        written,
        table,
        stands_in,
        ..
    } = network;
    let types: Vec<TokenStream> = network.fields().map(|(i, _)| field(network, i)).collect();
    let fields = network.fields().zip(&types).map(|((i, layer), ty)| {
        let docs = docs(network, i);
        let (name, own) = (&layer.name, &layer.docs);
        code!(#own #[doc = #docs] pub #name: #ty,)
    });
    // A network without parameters has no field to mention T.
    let marker = types
        .is_empty()
        .then(|| code!(__scalar: ::core::marker::PhantomData<T>,));
    let written = (!stands_in).then(|| {
        let block = format!("```text\n{written}\n```");
        code!(#[doc = ""] #[doc = #block])
    });
    let table = (!table.is_empty()).then(|| code!(#[doc = ""] #[doc = #table]));
    let names: Vec<_> = network.fields().map(|(_, layer)| &layer.name).collect();
    let elsewhere = network
        .fields()
        .zip(&types)
        .filter(|((_, layer), _)| matches!(layer.kind, Kind::Own { .. } | Kind::Network { .. }))
        .map(|(_, ty)| code!(for<'__any> #ty: #krate::__private::Zeroable,));
    let no_field = types.is_empty().then(|| code!(__scalar: _));
    code! {
        #attributes
        #written
        #table
        #[repr(C)]
        #visibility struct #name<T = ::core::primitive::f32> { #(#fields)* #marker }

        // SAFETY: every field is zeroable: a layer of `convnet`, or one that the where clause names. There
        // are no others (`only`).
        unsafe impl<T: #krate::Real> #krate::__private::Zeroable for #name<T>
        where
            #(#elsewhere)*
        {
        }

        const _: () = {
            // What an attribute makes of the struct is seen here.
            #[allow(dead_code)]
            fn only<T: #krate::Real>(it: &#name<T>) {
                let #name { #(#names: _,)* #no_field } = it;
                #(let _: *const #types = &raw const it.#names;)*
            }
        };
    }
}

fn docs(network: &Network, i: usize) -> String {
    let (layer, step) = (&network.layers[i], &network.steps[i]);
    let word = &layer.word;
    let detail = &layer.detail;
    if let Kind::Own { .. } | Kind::Network { .. } = layer.kind {
        return format!("`{word}({detail})`.");
    }
    if network.plan.is_some() {
        return format!("`{word}`: {detail}.");
    }
    let [h, w, d] = step.volume;
    format!(
        "`{word}`: {detail}; writes {w}x{h}x{d}, {} parameters.",
        step.parameters
    )
}
