//! The types of layers, and the lengths of which they and their tensors are made: as each layer's word says.

use convnet_core::graph::{Field, Generic, Length, Manner, Sees, Takes};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};

use super::{Kind, Network, at, code, literal, own};
use crate::syntax::{Decimal, Number};

/// The type of a layer with parameters; of any other, nothing.
pub(super) fn field(network: &Network, i: usize) -> TokenStream {
    let (krate, kind) = (&network.krate, &network.layers[i].kind);
    if !kind.has_parameters() {
        return TokenStream::new();
    }
    if let Some(what) = kind.elsewhere() {
        return match kind.sees() == Sees::Inner {
            true => quote_spanned!(at(what)=> #what<T>),
            false => what.clone(),
        };
    }
    let (layer, generics) = (own(kind.variant()), generics(network, i));
    code!(#krate::layer::#layer<T #(, #generics)*>)
}

/// A layer without parameters, as a value; nothing, where nothing is called.
pub(super) fn value(network: &Network, i: usize) -> TokenStream {
    let (krate, kind) = (&network.krate, &network.layers[i].kind);
    let layer = own(kind.variant());
    match kind.manner() {
        Manner::Passes | Manner::Branches | Manner::Adds => return TokenStream::new(),
        Manner::Concatenates => {
            let slice = slice(network, i);
            return code!(#krate::layer::#layer::<#slice>);
        }
        Manner::Filters
        | Manner::Normalises
        | Manner::Selects
        | Manner::Averages
        | Manner::Clamps
        | Manner::Activates
        | Manner::ActivatesByInput
        | Manner::Drops
        | Manner::Multiplies => {}
    }
    if let Some(what) = kind.elsewhere() {
        return what.clone();
    }
    let generics = generics(network, i);
    if !generics.is_empty() {
        return code!(#krate::layer::#layer::<#(#generics),*>::new());
    }
    let mut fields = Vec::new();
    kind.visit(|name, field| {
        let name = own(name);
        match field {
            Field::Count(count) => {
                let count = &count.value;
                fields.push(code!(#name: #count));
            }
            Field::Decimal(decimal) => fields.push(code!(#name: #decimal)),
            Field::Decimals(list) => {
                let list = list.as_slice();
                fields.push(code!(#name: #krate::graph::Decimals::of([#(#list),*])));
            }
            // No fields of a layer's type.
            Field::Slides(_)
            | Field::Path(_)
            | Field::Shape(_)
            | Field::Flag(_)
            | Field::Index(_)
            | Field::Maybe(_) => {}
        }
    });
    let fields = (!fields.is_empty()).then(|| code!({ #(#fields),* }));
    code!(#krate::layer::#layer #fields)
}

/// Where the slice of layer `i`, the end of a branch, begins: a const argument.
pub(super) fn slice(network: &Network, i: usize) -> TokenStream {
    match &network.plan {
        Some(plan) => code!({ #plan.steps[#i].slice }),
        None => literal(network.steps[i].slice),
    }
}

/// The arguments of a layer's type, but for its scalar. The last ones are left out where they are what they are by
/// default.
fn generics(network: &Network, i: usize) -> Vec<TokenStream> {
    let kind = &network.layers[i].kind;
    let generic = |generic: &Generic| match *generic {
        Generic::Length(it) => Some((length(network, i, it), false)),
        Generic::Slide => kind
            .window()
            .map(|window| (network.slide(i, window), false)),
        Generic::Group => network.depth_of_group(i).map(|depth| (depth, false)),
        Generic::Bits(name) => decimal(kind, name).map(|decimal| {
            let bits = code!({ ::core::primitive::f64::to_bits(#decimal) });
            (bits, is_default(kind, name, &decimal))
        }),
        Generic::Unless => {
            let is_there = kind.has_bias();
            Some((code!(#is_there), is_there))
        }
    };
    let all = kind.word().generics.iter().filter_map(generic);
    let mut all: Vec<(TokenStream, bool)> = all.collect();
    while all.pop_if(|(_, is_default)| *is_default).is_some() {}
    all.into_iter().map(|(tokens, _)| tokens).collect()
}

/// A length of layer `i`, as a const argument.
pub(super) fn length(network: &Network, i: usize, length: Length) -> TokenStream {
    let one = Number::Known(1);
    let filter = |axis: usize| {
        let window = network.layers[i].kind.window();
        window.map_or(&one, |window| &window.size.value[axis])
    };
    match length {
        Length::InputHeight => network.axis_before(i, 0),
        Length::InputWidth => network.axis_before(i, 1),
        Length::InputDepth => network.axis_before(i, 2),
        Length::FilterHeight => filter(0).to_token_stream(),
        Length::FilterWidth => filter(1).to_token_stream(),
        Length::FilterDepth => network
            .depth_of_group(i)
            .unwrap_or_else(|| network.cut_in_groups(i)),
        Length::Depth => network.axis(i, 2),
        Length::One => literal(1),
    }
}

/// The decimal of that name.
pub(super) fn decimal(kind: &Kind, name: &str) -> Option<Decimal> {
    let mut found = None;
    kind.visit(|field, value| {
        if let (true, Field::Decimal(decimal)) = (field == name, value) {
            found = Some(decimal.clone());
        }
    });
    found
}

/// Whether a decimal is what it is where nothing is written.
fn is_default(kind: &Kind, name: &str, decimal: &Decimal) -> bool {
    match kind.word().arg(name).map(|arg| arg.takes) {
        Some(Takes::Decimal {
            default: Some(default),
            ..
        }) => *decimal == default,
        _ => false,
    }
}
