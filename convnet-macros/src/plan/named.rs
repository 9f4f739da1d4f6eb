//! Sizes by the name of a `const`, whose value a macro cannot see.
//!
//! The generated program then plans itself, in a constant, by the same `const fn`s; a misfit is a
//! panic of that constant, with the text that the macro would have written.

use convnet_core::plan::{Memory, Op, Written};
use convnet_core::shape::{Blame, Fit};
use proc_macro2::{Literal, Span, TokenStream};

use super::names::{Named, What};
use super::place::{self, Lines, back};
use crate::emit::{Deferred, code, nested, tensors};
use crate::syntax::{Declaration, Kind, Limit, Number, Pad, Window};

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
        || layers
            .iter()
            .filter_map(Named::layer)
            .any(|layer| match &layer.kind {
                Kind::Conv {
                    filters,
                    groups,
                    window: w,
                    ..
                } => is_named(&filters.value) || is_named(&groups.value) || window(w),
                Kind::Depthwise { window: w, .. } | Kind::MaxPool(w) | Kind::AvgPool(w) => {
                    window(w)
                }
                Kind::ConvTranspose { filters, window: w } => is_named(&filters.value) || window(w),
                Kind::Fc { filters } => is_named(&filters.value),
                Kind::Own { volume, .. } => volume.iter().any(is_named),
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
        let written = limit.bytes.tokens.clone().into_iter().next();
        let blame = written.map_or_else(|| limit.key.span(), |token| token.span());
        (code!(#krate::plan::Memory::#memory, #text, #bytes), blame)
    });
    Some(Deferred {
        input: input.value.each_ref().map(expression),
        ops: layers
            .iter()
            .enumerate()
            .map(|(i, named)| match &named.what {
                What::Layer(layer) => match (&layer.kind, back(layers, i)) {
                    (Kind::MaxPool(w), Some(back)) if declaration.row_by_row => {
                        let (window, back) = (window(krate, w), Literal::usize_unsuffixed(back));
                        code!(#krate::plan::Op::RowPool { window: #window, back: #back })
                    }
                    // What it pools was computed by a layer of which only the compiler knows whether
                    // it has one group: a pool like others in any case.
                    (Kind::MaxPool(w), _) if pools_groups(layers, i) => {
                        let window = window(krate, w);
                        code!(#krate::plan::Op::RowPool { window: #window, back: 0 })
                    }
                    (kind, _) => op(krate, kind),
                },
                What::Block(_, op) => join(krate, *op),
            })
            .collect(),
        written: written(krate, layers),
        blames: layers.iter().map(blames).collect(),
        limits: limits.collect(),
    })
}

/// What one line stands for, as the plan takes it.
fn written(krate: &TokenStream, layers: &[Named]) -> TokenStream {
    let lines = Lines::of(layers);
    let Written { firsts, unstrided } = lines.written();
    let numbers = |numbers: &[usize]| -> Vec<_> {
        let literal = |&number: &usize| Literal::usize_unsuffixed(number);
        numbers.iter().map(literal).collect()
    };
    let (firsts, unstrided) = (numbers(firsts), numbers(unstrided));
    code!(#krate::plan::Written { firsts: &[#(#firsts),*], unstrided: &[#(#unstrided),*] })
}

/// Whether layer `at` follows a `conv` the number of whose groups is a name.
fn pools_groups(layers: &[Named], at: usize) -> bool {
    let kind = |i: usize| layers[i].layer().map(|layer| &layer.kind);
    let between = |&i: &usize| {
        matches!(
            kind(i),
            Some(Kind::Relu | Kind::Relu6 | Kind::BatchNorm { .. })
        )
    };
    let conv = (0..at).rev().find(|i| !between(i));
    matches!(conv.and_then(kind), Some(Kind::Conv { groups, .. }) if is_named(&groups.value))
}

/// What is underlined where the size, the padding or the groups are to blame.
fn blames(named: &Named) -> [Span; 3] {
    [Blame::Size, Blame::Padding, Blame::Groups].map(|blame| {
        let written = place::blame(named, blame).into_iter().next();
        written.map_or_else(|| named.word().span(), |token| token.span())
    })
}

/// Where the ways of a block begin or meet.
fn join(krate: &TokenStream, op: Op) -> TokenStream {
    let number = |value: usize| Literal::usize_unsuffixed(value);
    match op {
        Op::Branch { from } => {
            let from = number(from);
            code!(#krate::plan::Op::Branch { from: #from })
        }
        Op::Add { with, input } => {
            let (with, input) = (number(with), number(input));
            code!(#krate::plan::Op::Add { with: #with, input: #input })
        }
        Op::Concat { onto, input, last } => {
            let onto = match onto.map(number) {
                Some(onto) => code!(::core::option::Option::Some(#onto)),
                None => code!(::core::option::Option::None),
            };
            let input = number(input);
            code!(#krate::plan::Op::Concat { onto: #onto, input: #input, last: #last })
        }
        // A block needs no others.
        _ => code!(#krate::plan::Op::Flatten),
    }
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
        Kind::ConvTranspose { filters, window: w } => {
            let (filters, window) = (expression(&filters.value), window(krate, w));
            code!(#op::ConvTranspose { filters: #filters, window: #window })
        }
        Kind::BatchNorm { .. } => code!(#op::BatchNorm),
        Kind::GlobalAvgPool => code!(#op::GlobalAvgPool),
        Kind::GlobalMaxPool => code!(#op::GlobalMaxPool),
        Kind::Fc { filters } => {
            let filters = expression(&filters.value);
            code!(#op::Fc { filters: #filters })
        }
        Kind::Relu | Kind::Relu6 => code!(#op::Clamp),
        Kind::LeakyRelu { .. } | Kind::Sigmoid | Kind::Tanh | Kind::Softmax => {
            code!(#op::Activation)
        }
        Kind::HardSwish | Kind::Lrn { .. } => code!(#op::InputActivation),
        Kind::Dropout { .. } => code!(#op::Dropout),
        Kind::Flatten => code!(#op::Flatten),
        Kind::Own {
            what,
            learns,
            volume,
        } => {
            let [h, w, d] = volume.each_ref().map(expression);
            let parameters = match learns {
                true => {
                    let tensors = tensors(krate, what);
                    code!(::core::option::Option::Some(#krate::Tensor::scalars(#tensors)))
                }
                false => code!(::core::option::Option::None),
            };
            code!(#op::Own { volume: [#h, #w, #d], parameters: #parameters })
        }
        Kind::Network { what } => {
            let nested = nested(krate, what);
            code!(#op::Network(#nested))
        }
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
