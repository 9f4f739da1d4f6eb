//! Window to `convnet_core::plan`, and misfits back onto tokens.

use std::collections::HashMap;

use convnet_core::graph::Sees;
use convnet_core::plan::{self, Op, Options, Step, Totals, Written};
use convnet_core::shape::{Blame, Fit, Window};
use proc_macro2::TokenStream;
use quote::ToTokens;

use super::names::{Named, What};
use super::numbers::plain;
use crate::report::Errors;
use crate::syntax::Layer;

/// A network that fits.
pub(super) struct Placed {
    /// Height, width, depth.
    pub(super) input: [usize; 3],
    /// Layer by layer.
    pub(super) steps: Vec<Step>,
    /// The whole.
    pub(super) totals: Totals,
    /// Whether that is certain of the volume that the last layer writes, or else it is one of scores.
    pub(super) writes_what_was_meant: bool,
}

/// The plan of a network whose every number the macro sees. Where a layer does not fit, that is
/// reported, and the plan is one of a network that resembles it.
///
/// The first layer that does not fit has an error, and each later one whose input is known in
/// spite of that: an `fc` makes the height and width 1 whatever came before. Ways that do not meet
/// are reported where nothing else is wrong.
pub(super) fn place(
    written: Option<[usize; 3]>,
    layers: &[Named],
    options: Options<'_>,
    errors: &mut Errors,
) -> Option<Placed> {
    let input = written.unwrap_or([1; 3]);
    let mut ops = ops(layers);
    let mut misfits = vec![0; layers.len()];
    let lines = Lines::of(layers);
    let mut known = vec![written.is_some()];
    let placed = plan::place_or(input, &mut ops, options, |failure, ops| {
        let at = failure.layer;
        let named = &layers[at];
        extend(&mut known, &layers[..at], &misfits);
        let first = match named.layer() {
            Some(layer) => {
                // In a repetition, one error for all that a line stands for.
                let said = lines.others(at).any(|other| misfits[other] > 0);
                known[at] && misfits[at] == 0 && !said && layer.slides_right
            }
            None => errors.count() == 0,
        };
        if first {
            let message = failure.message_of(&named.path, input, ops, &lines.written());
            errors.push(blame(named, failure.misfit.blame()), message);
        }
        misfits[at] += 1;
        named.layer()?;
        placeholder(&ops[at], misfits[at])
    });
    match placed {
        Ok((steps, totals)) => {
            extend(&mut known, layers, &misfits);
            let scores = matches!(steps.last(), Some(step) if step.volume[..2] == [1; 2]);
            Some(Placed {
                writes_what_was_meant: scores || known[layers.len()],
                input,
                steps,
                totals,
            })
        }
        Err(_) => structure(layers, options),
    }
}

/// What layers have in common because one line stands for them.
pub(super) struct Lines {
    pub(super) firsts: Vec<usize>,
    unstrided: Vec<usize>,
}

impl Lines {
    pub(super) fn of(layers: &[Named]) -> Self {
        let mut lines = HashMap::new();
        let first = |(i, named): (usize, &Named)| {
            let line: *const () = match named.what {
                What::Layer(layer) => core::ptr::from_ref(layer).cast(),
                What::Block(block, _) => core::ptr::from_ref(block).cast(),
            };
            *lines.entry(line).or_insert(i)
        };
        let firsts: Vec<_> = layers.iter().enumerate().map(first).collect();
        let unstrided = |named: &Named| {
            let kind = named.kind();
            matches!(kind.sees(), Sees::Pools)
                && kind
                    .window()
                    .is_some_and(|window| window.stride.tokens.is_empty())
        };
        Self {
            firsts,
            unstrided: (0..layers.len())
                .filter(|&i| unstrided(&layers[i]))
                .collect(),
        }
    }

    /// As the plan takes them: nothing is said where nothing is repeated.
    pub(super) fn written(&self) -> Written<'_> {
        let repeated = self.firsts.iter().enumerate().any(|(i, first)| i != *first);
        Written {
            firsts: if repeated { &self.firsts } else { &[] },
            unstrided: &self.unstrided,
        }
    }

    /// The layers that the line of layer `at` stands for.
    fn others(&self, at: usize) -> impl Iterator<Item = usize> {
        let line = self.firsts[at];
        let firsts = self.firsts.iter().enumerate();
        firsts
            .filter(move |(_, first)| **first == line)
            .map(|(i, _)| i)
    }
}

/// Whether height and width of each volume up to what the last of `layers` writes are what the user
/// meant.
fn extend(known: &mut Vec<bool>, layers: &[Named], misfits: &[usize]) {
    known.truncate(layers.len() + 1);
    for i in known.len() - 1..layers.len() {
        let kind = layers[i].kind();
        let next = match kind.sees() {
            Sees::Everything | Sees::Anything | Sees::Inner => true,
            Sees::Pixel
            | Sees::Slides
            | Sees::Pools
            | Sees::Stamps
            | Sees::Padded
            | Sees::Between
            | Sees::All => {
                let (first, second) = kind.reads(i);
                let right = |layer: &Layer| misfits[i] == 0 && layer.slides_right;
                !layers[i].is_lost
                    && known[first]
                    && second.is_none_or(|v| known[v])
                    && layers[i].layer().is_none_or(right)
            }
        };
        known.push(next);
    }
}

/// The structure of the plan, which does not depend on the numbers, of a network as small as can
/// be: who reads whom, and what works in place.
pub(super) fn structure(layers: &[Named], options: Options<'_>) -> Option<Placed> {
    let ops = ops(layers);
    let (steps, totals) = plan::placeholder(&ops, options)?;
    Some(Placed {
        input: [1; 3],
        steps,
        totals,
        writes_what_was_meant: true,
    })
}

/// Filters of 1x1 fit on everything.
const ONE: Window = Window::square(1, 1, 0);

/// A layer that may fit where `op` did not, at the first, second and third try: as many pixels as
/// the stride that its type names can meet.
fn placeholder(op: &Op, misfits: usize) -> Option<Op> {
    let filters = op.filters().copied().unwrap_or(1);
    let window = op.window().copied().unwrap_or(ONE);
    let cropped = Window {
        fit: Fit::Crop,
        ..window
    };
    let smallest = Window {
        stride: cropped.stride,
        fit: cropped.fit,
        ..ONE
    };
    match misfits {
        1 => Some(with(op, filters, cropped)),
        2 => Some(with(op, filters, smallest)),
        3 => Some(with(op, 1, smallest)),
        _ => None,
    }
}

/// The same layer with other numbers, in one group.
fn with(op: &Op, filters: usize, window: Window) -> Op {
    let mut op = *op;
    if let Some(it) = op.filters_mut() {
        *it = filters;
    }
    if let Some(it) = op.groups_mut() {
        *it = 1;
    }
    if let Some(it) = op.window_mut() {
        *it = window;
    }
    if let Op::ConvTranspose { output_pad, .. } = &mut op {
        *output_pad = 0;
    }
    op
}

/// The smallest tokens to change: the word, if a default is to blame.
pub(super) fn blame(named: &Named, blame: Blame) -> TokenStream {
    let What::Layer(layer) = named.what else {
        return named.word().to_token_stream();
    };
    let kind = &layer.kind;
    let written = match (blame, kind.window()) {
        (Blame::Groups, _) => kind.groups().map(|groups| &groups.tokens),
        (Blame::Padding, Some(window)) => Some(&window.pad.tokens),
        (Blame::Size, Some(window)) => Some(&window.size.tokens),
        (Blame::Size | Blame::Padding, None) => kind
            .filters()
            .map(|filters| &filters.tokens)
            .or(kind.elsewhere()),
        (Blame::OutputPad, _) => kind.output_pad().map(|it| &it.tokens),
    };
    match written {
        Some(written) if !written.is_empty() => written.clone(),
        Some(_) | None => named.word().to_token_stream(),
    }
}

/// The layers in numbers.
fn ops(layers: &[Named]) -> Vec<Op> {
    layers.iter().map(|named| plain(named.kind())).collect()
}
