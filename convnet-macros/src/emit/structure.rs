//! The struct: parameters and nothing else.

use convnet_core::graph::Takes;
use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::{Kind, Network, at, code};
use crate::syntax::Decimal;

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        attributes,
        visibility,
        name,
        table,
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

/// The type of a layer with parameters.
pub(super) fn field(network: &Network, i: usize) -> TokenStream {
    let krate = &network.krate;
    let [h, w, d] = [0, 1, 2].map(|axis| network.axis_before(i, axis));
    let k = network.axis(i, 2);
    match &network.layers[i].kind {
        Kind::Conv { window, .. } => {
            let ([fh, fw], slide) = (&window.size.value, network.slide(i, window));
            let of_group = network.depth_of_group(i).map(|depth| code!(, #depth));
            code!(#krate::layer::Conv<T, #fh, #fw, #d, #k, #slide #of_group>)
        }
        Kind::ConvTranspose { window, .. } => {
            let ([fh, fw], slide) = (&window.size.value, network.slide(i, window));
            code!(#krate::layer::ConvTranspose<T, #fh, #fw, #d, #k, #slide>)
        }
        kind @ Kind::BatchNorm { eps } if is_default(kind, eps) => {
            code!(#krate::layer::BatchNorm<T, #d>)
        }
        Kind::BatchNorm { eps } => {
            code!(#krate::layer::BatchNorm<T, #d, { ::core::primitive::f64::to_bits(#eps) }>)
        }
        Kind::Depthwise { window, .. } => {
            let ([fh, fw], slide) = (&window.size.value, network.slide(i, window));
            code!(#krate::layer::Depthwise<T, #fh, #fw, #k, #slide>)
        }
        Kind::Own { what, .. } => what.clone(),
        Kind::Network { what } => quote_spanned!(at(what)=> #what<T>),
        Kind::Fc { .. } => code!(#krate::layer::Fc<T, #h, #w, #d, #k>),
        // No field.
        Kind::Lrn { .. }
        | Kind::MaxPool { .. }
        | Kind::RowPool { .. }
        | Kind::AvgPool { .. }
        | Kind::GlobalAvgPool
        | Kind::GlobalMaxPool
        | Kind::Relu
        | Kind::Relu6
        | Kind::LeakyRelu { .. }
        | Kind::Sigmoid
        | Kind::Tanh
        | Kind::HardSwish
        | Kind::Softmax
        | Kind::Dropout { .. }
        | Kind::Flatten
        | Kind::Branch { .. }
        | Kind::Add { .. }
        | Kind::Concat { .. } => TokenStream::new(),
    }
}

/// Whether `eps` is what it is where nothing is written.
fn is_default(kind: &Kind, eps: &Decimal) -> bool {
    match kind.word().arg("eps").map(|arg| arg.takes) {
        Some(Takes::Decimal {
            default: Some(default),
            ..
        }) => *eps == default,
        _ => false,
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
