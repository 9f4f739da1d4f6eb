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

/// The arguments of a layer's type, but for its scalar.
fn generics(network: &Network, i: usize) -> Vec<TokenStream> {
    let kind = &network.layers[i].kind;
    let generic = |generic: &Generic| match *generic {
        Generic::Length(it) => Some(length(network, i, it)),
        Generic::Slide => kind.window().map(|window| network.slide(i, window)),
        Generic::Group => network.depth_of_group(i),
        Generic::Bits(name) => decimal(kind, name)
            .filter(|decimal| !is_default(kind, name, decimal))
            .map(|decimal| code!({ ::core::primitive::f64::to_bits(#decimal) })),
    };
    kind.word().generics.iter().filter_map(generic).collect()
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
