//! Sizes by the name of a `const`, whose value a macro cannot see.
//!
//! The generated program then plans itself, in a constant, by the same `const fn`s; a misfit is a
//! panic of that constant, with the text that the macro would have written.

use convnet_core::shape::Fit;
use proc_macro2::{Literal, Span, TokenStream};

use super::names::Named;
use crate::emit::{Deferred, code};
use crate::syntax::{Declaration, Kind, Limit, Memory, Number, Pad, Window};

/// Whether the plan has to wait for the compiler.
pub(super) fn any(declaration: &Declaration, layers: &[Named]) -> bool {
    let window = |window: &Window| {
        let sides: &[Number] = match &window.pad.value {
            Pad::Same => &[],
            Pad::Zeros(sides) => sides,
        };
        window
            .size
            .value
            .iter()
            .chain(&window.dilation.value)
            .chain(&window.stride.value)
            .chain(sides)
            .any(is_named)
    };
    let mut image = declaration.input.iter().flat_map(|input| &input.value);
    image.any(is_named)
        || layers.iter().any(|Named { layer, .. }| match &layer.kind {
            Kind::Conv {
                filters,
                groups,
                window: w,
                ..
            } => is_named(&filters.value) || is_named(&groups.value) || window(w),
            Kind::Depthwise { window: w, .. } | Kind::MaxPool(w) | Kind::AvgPool(w) => window(w),
            Kind::Fc { filters } => is_named(&filters.value),
            _ => false,
        })
}

fn is_named(number: &Number) -> bool {
    matches!(number, Number::Named(_))
}

/// The declaration as expressions of `convnet_core::plan`.
pub(super) fn deferred(
    krate: &TokenStream,
    declaration: &Declaration,
    layers: &[Named],
) -> Option<Deferred> {
    let input = declaration.input.as_ref()?;
    let limits = declaration.budget.iter().map(|limit: &Limit| {
        let memory = match limit.memory {
            Memory::Ram => code!(Ram),
            Memory::Flash => code!(Flash),
        };
        let (text, bytes) = (&limit.text, limit.bytes.value);
        code!(#krate::plan::Memory::#memory, #text, #bytes)
    });
    Some(Deferred {
        input: input.value.each_ref().map(expression),
        ops: layers
            .iter()
            .map(|named| op(krate, &named.layer.kind))
            .collect(),
        blames: layers.iter().map(blame).collect(),
        limits: limits.collect(),
    })
}

/// The size, if there is one, or else the word.
fn blame(Named { layer, .. }: &Named) -> Span {
    let size = match &layer.kind {
        Kind::Conv { window, .. }
        | Kind::Depthwise { window, .. }
        | Kind::MaxPool(window)
        | Kind::AvgPool(window) => window.size.tokens.clone().into_iter().next(),
        _ => None,
    };
    size.map_or_else(|| layer.mention.word.span(), |token| token.span())
}

fn op(krate: &TokenStream, kind: &Kind) -> TokenStream {
    let op = code!(#krate::plan::Op);
    match kind {
        Kind::Conv {
            filters,
            groups,
            bias,
            window: w,
        } => {
            let [filters, groups] = [filters, groups].map(|number| expression(&number.value));
            let window = window(krate, w);
            code! {
                #op::Conv { filters: #filters, groups: #groups, bias: #bias, window: #window }
            }
        }
        Kind::Depthwise { bias, window: w } => {
            let window = window(krate, w);
            code!(#op::Depthwise { bias: #bias, window: #window })
        }
        Kind::MaxPool(w) => {
            let window = window(krate, w);
            code!(#op::MaxPool(#window))
        }
        Kind::AvgPool(w) => {
            let window = window(krate, w);
            code!(#op::AvgPool(#window))
        }
        Kind::GlobalAvgPool => code!(#op::GlobalAvgPool),
        Kind::GlobalMaxPool => code!(#op::GlobalMaxPool),
        Kind::Fc { filters } => {
            let filters = expression(&filters.value);
            code!(#op::Fc { filters: #filters })
        }
        Kind::Relu
        | Kind::Relu6
        | Kind::LeakyRelu { .. }
        | Kind::Sigmoid
        | Kind::Tanh
        | Kind::Softmax => code!(#op::Activation),
        Kind::HardSwish => code!(#op::InputActivation),
        Kind::Dropout { .. } => code!(#op::Dropout),
        Kind::Flatten => code!(#op::Flatten),
    }
}

fn window(krate: &TokenStream, window: &Window) -> TokenStream {
    let [rows, columns] = window.size.value.each_ref().map(expression);
    let [down, across] = window.stride.value.each_ref().map(expression);
    let [dy, dx] = window.dilation.value.each_ref().map(expression);
    let padding = match &window.pad.value {
        Pad::Same => code!(Same),
        Pad::Zeros(sides) => {
            let [top, bottom, left, right] = sides.each_ref().map(expression);
            code!(Zeros { top: #top, bottom: #bottom, left: #left, right: #right })
        }
    };
    let fit = match window.fit.value {
        Fit::Exact => code!(Exact),
        Fit::Crop => code!(Crop),
        Fit::Pad => code!(Pad),
    };
    code! {
        #krate::shape::Window {
            size: [#rows, #columns],
            dilation: [#dy, #dx],
            stride: [#down, #across],
            padding: #krate::shape::Padding::#padding,
            fit: #krate::shape::Fit::#fit,
        }
    }
}

fn expression(number: &Number) -> TokenStream {
    match number {
        Number::Known(value) => {
            let value = Literal::usize_unsuffixed(*value);
            code!(#value)
        }
        Number::Named(path) => path.clone(),
    }
}
