//! # Plan: what it means
//!
//! ```text
//! Declaration ──▶ names ──▶ place ──▶ budget ──▶ emit::Network
//! ```
//!
//! Every number comes from `convnet_core::plan`; here they meet the tokens that they are about.
//! After this stage there are no more errors, and whatever was declared there is a network to
//! emit: the one that was meant, or one that resembles it.

mod budget;
mod detail;
mod names;
mod place;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};

use crate::emit;
use crate::report::Errors;
use crate::syntax::{Declaration, Decimal, Item, Kind, Mention, Number, Window};
use names::Named;

/// What is to be emitted; `None` if nothing can be.
pub(crate) fn plan(
    krate: TokenStream,
    declaration: &Declaration,
    errors: &mut Errors,
) -> Option<emit::Network> {
    let layers = names::name(declaration, errors);
    let input = declaration.input.as_ref();
    let [h, w, d] = input.map_or([None; 3], |input| input.value.each_ref().map(Number::known));
    let input = h.zip(w).zip(d).map(|((h, w), d)| [h, w, d]);
    let placed = place::place(input, &layers, errors)?;
    if errors.count() == 0 {
        budget::check(&declaration.budget, &layers, &placed, errors);
    }
    let place::Placed {
        input,
        steps,
        totals,
    } = placed;
    let attrs = &declaration.attrs;
    Some(emit::Network {
        krate,
        attributes: quote!(#(#attrs)*),
        visibility: declaration.vis.to_token_stream(),
        name: declaration.name.clone(),
        input: input.map(|size| argument(&Number::Known(size))),
        layers: layers.iter().map(layer).collect(),
        steps,
        totals,
        plan: None,
        table: String::new(),
        mentions: mentions(declaration),
    })
}

/// The words as written, line by line.
fn mentions(declaration: &Declaration) -> Vec<Mention> {
    fn lines(items: &[Item], mentions: &mut Vec<Mention>) {
        for item in items {
            match item {
                Item::Layer(layer) => mentions.push(layer.mention.clone()),
                Item::Repeat { items, .. } => lines(items, mentions),
            }
        }
    }
    let mut mentions = declaration.mentions.clone();
    lines(&declaration.items, &mut mentions);
    mentions
}

fn layer(Named { name, layer }: &Named) -> emit::Layer {
    let kind = match &layer.kind {
        Kind::Conv { window, .. } => emit::Kind::Conv(self::window(window)),
        Kind::MaxPool(window) => emit::Kind::MaxPool(self::window(window)),
        Kind::AvgPool(window) => emit::Kind::AvgPool(self::window(window)),
        Kind::GlobalAvgPool => emit::Kind::GlobalAvgPool,
        Kind::Fc { .. } => emit::Kind::Fc,
        Kind::Relu => emit::Kind::Relu,
        Kind::LeakyRelu { slope } => emit::Kind::LeakyRelu {
            slope: decimal(slope),
        },
        Kind::Sigmoid => emit::Kind::Sigmoid,
        Kind::Tanh => emit::Kind::Tanh,
        Kind::Softmax => emit::Kind::Softmax,
        Kind::Dropout { rate } => emit::Kind::Dropout {
            rate: decimal(rate),
        },
        Kind::Flatten => emit::Kind::Flatten,
    };
    let detail = detail::detail(&layer.kind);
    emit::Layer {
        name: name.clone(),
        word: layer.canonical,
        docs: layer.docs.clone(),
        detail,
        kind,
    }
}

fn window(window: &Window) -> emit::Window {
    let numbers = |numbers: &[Number; 2]| numbers.each_ref().map(argument);
    emit::Window {
        size: numbers(&window.size.value),
        stride: numbers(&window.stride.value),
    }
}

/// A number as an argument of a type.
fn argument(number: &Number) -> TokenStream {
    match number {
        Number::Known(value) => Literal::usize_unsuffixed(*value).to_token_stream(),
        Number::Named(path) => quote!({ #path }),
    }
}

fn decimal(decimal: &Decimal) -> TokenStream {
    match decimal {
        Decimal::Known(value) => Literal::f64_unsuffixed(*value).to_token_stream(),
        Decimal::Named(path) => path.clone(),
    }
}
