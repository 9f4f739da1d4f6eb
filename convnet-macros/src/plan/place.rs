//! Numbers to `convnet_core::plan`, and misfits back onto tokens.

use convnet_core::plan::{self, Failure, Op, Step, Totals};
use convnet_core::shape::{Fit, Misfit, Padding, Window as Numbers};
use proc_macro2::TokenStream;
use quote::ToTokens;

use super::names::Named;
use crate::report::Errors;
use crate::syntax::{Kind, Number, Pad, Window};

/// A network that fits.
pub(super) struct Placed {
    /// Height, width, depth.
    pub(super) input: [usize; 3],
    /// Layer by layer.
    pub(super) steps: Vec<Step>,
    /// The whole.
    pub(super) totals: Totals,
}

/// The plan of a network whose every number the macro sees. Where a layer does not fit, that is
/// reported, and the plan is one of a network that resembles it.
///
/// The first layer that does not fit has an error, and each later one whose input is known in
/// spite of that: an `fc` makes the height and width 1 whatever came before.
pub(super) fn place(
    written: Option<[usize; 3]>,
    layers: &[Named],
    errors: &mut Errors,
) -> Option<Placed> {
    let input = written.unwrap_or([1; 3]);
    let mut ops: Vec<Op> = layers.iter().map(|named| op(&named.layer.kind)).collect();
    let mut misfits = vec![0; layers.len()];
    loop {
        let failure = match plan::place(input, &ops) {
            Ok((steps, totals)) => {
                return Some(Placed {
                    input,
                    steps,
                    totals,
                });
            }
            Err(failure) => failure,
        };
        let at = failure.layer;
        let known = layers[..at].iter().zip(&misfits).rev();
        let known = known
            .map(|(named, misfits)| match named.layer.kind {
                Kind::Fc { .. } | Kind::GlobalAvgPool | Kind::GlobalMaxPool => Some(true),
                _ if *misfits > 0 || !named.layer.slides_right => Some(false),
                _ => None,
            })
            .find_map(|known| known)
            .unwrap_or(written.is_some());
        let layer = layers[at].layer;
        if known && misfits[at] == 0 && layer.slides_right {
            let message = failure.message(&layers[at].name.to_string(), &op(&layer.kind));
            errors.push(blame(&layers[at], &failure), message);
        }
        misfits[at] += 1;
        match resembling(&ops[at], misfits[at]) {
            Some(op) => ops[at] = op,
            None => return structure(layers),
        }
    }
}

/// The structure of the plan, which does not depend on the numbers, of a network as small as can
/// be: who reads whom, and what works in place.
pub(super) fn structure(layers: &[Named]) -> Option<Placed> {
    let ops: Vec<Op> = layers
        .iter()
        .map(|named| with(&op(&named.layer.kind), 1, ONE))
        .collect();
    let (steps, totals) = plan::place([1; 3], &ops).ok()?;
    Some(Placed {
        input: [1; 3],
        steps,
        totals,
    })
}

/// Filters of 1x1 fit on everything.
const ONE: Numbers = Numbers::square(1, 1, 0);

/// A layer that may fit where `op` did not, at the first, second and third try.
fn resembling(op: &Op, misfits: usize) -> Option<Op> {
    let (filters, window) = match op {
        Op::Conv {
            filters, window, ..
        } => (*filters, *window),
        Op::Depthwise { window, .. } | Op::MaxPool(window) | Op::AvgPool(window) => (1, *window),
        Op::Fc { filters } => (*filters, ONE),
        _ => (1, ONE),
    };
    match misfits {
        1 => Some(with(
            op,
            filters,
            Numbers {
                fit: Fit::Crop,
                ..window
            },
        )),
        2 => Some(with(op, filters, ONE)),
        3 => Some(with(op, 1, ONE)),
        _ => None,
    }
}

/// The same layer with other numbers, in one group.
fn with(op: &Op, filters: usize, window: Numbers) -> Op {
    match op {
        Op::Conv { bias, .. } => Op::Conv {
            filters,
            groups: 1,
            bias: *bias,
            window,
        },
        Op::Depthwise { bias, .. } => Op::Depthwise {
            bias: *bias,
            window,
        },
        Op::MaxPool(_) => Op::MaxPool(window),
        Op::AvgPool(_) => Op::AvgPool(window),
        Op::Fc { .. } => Op::Fc { filters },
        other => *other,
    }
}

/// The smallest token to change.
fn blame(named: &Named, failure: &Failure) -> TokenStream {
    let written = match &named.layer.kind {
        Kind::Conv { groups, .. } if matches!(failure.misfit, Misfit::Groups { .. }) => {
            &groups.tokens
        }
        Kind::Conv { window, .. }
        | Kind::Depthwise { window, .. }
        | Kind::MaxPool(window)
        | Kind::AvgPool(window) => match failure.misfit {
            Misfit::Same { .. } | Misfit::Border(_) => &window.pad.tokens,
            _ => &window.size.tokens,
        },
        Kind::Fc { filters } => &filters.tokens,
        _ => return named.layer.mention.word.to_token_stream(),
    };
    match written.is_empty() {
        true => named.layer.mention.word.to_token_stream(),
        false => written.clone(),
    }
}

/// The layer in numbers; 1 for one that only the compiler knows.
fn op(kind: &Kind) -> Op {
    match kind {
        Kind::Conv {
            filters,
            groups,
            bias,
            window,
        } => Op::Conv {
            filters: number(&filters.value),
            groups: number(&groups.value),
            bias: *bias,
            window: numbers(window),
        },
        Kind::Depthwise { bias, window } => Op::Depthwise {
            bias: *bias,
            window: numbers(window),
        },
        Kind::MaxPool(window) => Op::MaxPool(numbers(window)),
        Kind::AvgPool(window) => Op::AvgPool(numbers(window)),
        Kind::GlobalAvgPool => Op::GlobalAvgPool,
        Kind::GlobalMaxPool => Op::GlobalMaxPool,
        Kind::Fc { filters } => Op::Fc {
            filters: number(&filters.value),
        },
        Kind::Relu
        | Kind::Relu6
        | Kind::LeakyRelu { .. }
        | Kind::Sigmoid
        | Kind::Tanh
        | Kind::Softmax => Op::Activation,
        Kind::HardSwish => Op::InputActivation,
        Kind::Dropout { .. } => Op::Dropout,
        Kind::Flatten => Op::Flatten,
    }
}

fn numbers(window: &Window) -> Numbers {
    let padding = match &window.pad.value {
        Pad::Same => Padding::Same,
        Pad::Zeros(sides) => {
            let [top, bottom, left, right] = sides.each_ref().map(number);
            Padding::Zeros {
                top,
                bottom,
                left,
                right,
            }
        }
    };
    Numbers {
        size: window.size.value.each_ref().map(number),
        dilation: window.dilation.value.each_ref().map(number),
        stride: window.stride.value.each_ref().map(number),
        padding,
        fit: window.fit.value,
    }
}

fn number(number: &Number) -> usize {
    number.known().unwrap_or(1)
}
