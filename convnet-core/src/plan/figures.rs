//! Volumes, parameters, multiply-adds and receptive fields: what does not depend on memory.

use super::block::{self, Readers};
use super::{Depth, Elements, Failure, MOST_SCALARS, Nested, Op, Step, Totals, volume};
use crate::scalar::element::ElementType;
use crate::shape::{Misfit, Placed, Window, ok};

/// Writes the figures of each step.
pub(super) const fn fill(
    input: [usize; 3],
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    how: (Depth, Elements<'_>),
) -> Result<Totals, Failure> {
    let mut totals = Totals::NONE;
    match resume(input, ops, readers, steps, how, (0, &mut totals)) {
        Ok(()) => Ok(totals),
        Err(failure) => Err(failure),
    }
}

/// From a layer on, where the totals of those before it are known.
pub(super) const fn resume(
    input: [usize; 3],
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    how: (Depth, Elements<'_>),
    (mut layer, totals): (usize, &mut Totals),
) -> Result<(), Failure> {
    while layer < ops.len() {
        if let Err(misfit) = place(input, ops, readers, steps, layer, how, totals) {
            return Err(Failure {
                layer,
                input: volume(input, steps, layer),
                misfit,
            });
        }
        layer += 1;
    }
    Ok(())
}

const fn place(
    input: [usize; 3],
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    layer: usize,
    (depth, elements): (Depth, Elements<'_>),
    totals: &mut Totals,
) -> Result<(), Misfit> {
    if !block::linked(ops, readers, layer) {
        return Err(Misfit::Unlinked);
    }
    let x = volume(input, steps, layer);
    let mut step = ok!(step(input, ops, steps, layer, depth));
    step.element = ok!(elements.written(ops, layer));
    step.flash = flash(&ops[layer], &step);
    ok!(totals.add(&step));
    let mut reach = match ops[layer] {
        Op::Branch { from } => reach(steps, from),
        _ => reach(steps, layer),
    };
    step.learned = ops[layer].has_parameters() || learned(steps, layer);
    match ops[layer] {
        Op::Branch { from } => step.learned = learned(steps, from),
        op => {
            if let Some(named) = op.names() {
                step.learned |= learned(steps, named);
                let other = self::reach(steps, named);
                reach = [reach[0].or(other[0]), reach[1].or(other[1])];
            }
        }
    }
    ops[layer].extend(x, &mut reach);
    // Clamped here or after all layers, what is beyond the image comes to the same.
    step.field = [
        least(reach[0].field, input[0]),
        least(reach[1].field, input[1]),
    ];
    step.jump = [reach[0].jump, reach[1].jump];
    steps[layer] = step;
    if let Op::Concat { last: true, .. } = ops[layer] {
        block::deepen(ops, steps, layer);
    }
    Ok(())
}

/// What layer `layer` writes, and costs.
pub(super) const fn step(
    input: [usize; 3],
    ops: &[Op],
    steps: &[Step],
    layer: usize,
    depth: Depth,
) -> Result<Step, Misfit> {
    let x = volume(input, steps, layer);
    match ops[layer] {
        Op::Branch { from } => Ok(Step {
            volume: volume(input, steps, from),
            ..Step::EMPTY
        }),
        Op::Add { .. } | Op::Concat { .. } => block::join(input, ops, steps, layer, depth),
        op => match figures(x, &op) {
            Err(Misfit::Larger(axis)) if after_fc(ops, layer) => Err(Misfit::AfterFc(axis)),
            figures => figures,
        },
    }
}

/// Bytes of what a step learns and stores: scalars of the network's own; or, of a layer of filters that writes
/// `i8`, filters of `i8` and a bias of `i32` each, as TensorFlow Lite keeps them.
const fn flash(op: &Op, step: &Step) -> usize {
    let scalars = step.parameters + step.fixed;
    match (op, step.element) {
        (
            Op::Conv { .. } | Op::Depthwise { .. } | Op::ConvTranspose { .. } | Op::Fc { .. },
            ElementType::I8,
        ) => scalars + 3 * step.volume[2],
        (_, ElementType::F64) => scalars.saturating_mul(ElementType::F64.bytes()),
        _ => scalars.saturating_mul(ElementType::F32.bytes()),
    }
}

/// Whether volume `v` depends on parameters.
pub(super) const fn learned(steps: &[Step], v: usize) -> bool {
    v > 0 && steps[v - 1].learned
}

/// Whether an `fc` lies on the way to layer `layer`.
const fn after_fc(ops: &[Op], layer: usize) -> bool {
    let mut v = layer;
    while v > 0 {
        v = match ops[v - 1] {
            Op::Fc { .. } => return true,
            Op::Branch { from } => from,
            _ => v - 1,
        };
    }
    false
}

/// How many pixels of the image, along one axis, a neuron sees, and how many lie between two
/// neighbours.
#[derive(Clone, Copy)]
struct Reach {
    field: usize,
    jump: usize,
}

/// Down and across, of volume `v`.
const fn reach(steps: &[Step], v: usize) -> [Reach; 2] {
    if v == 0 {
        return [Reach { field: 1, jump: 1 }; 2];
    }
    let Step { field, jump, .. } = steps[v - 1];
    let [field_down, field_across] = field;
    let [down, across] = jump;
    [
        Reach {
            field: field_down,
            jump: down,
        },
        Reach {
            field: field_across,
            jump: across,
        },
    ]
}

impl Reach {
    /// Dumoulin & Visin 2016, *A guide to convolution arithmetic*, relationship of stacked layers.
    const fn grow(&mut self, size: usize, stride: usize) {
        self.field = self
            .field
            .saturating_add((size - 1).saturating_mul(self.jump));
        self.jump = self.jump.saturating_mul(stride);
    }

    /// The larger of two ways.
    const fn or(self, other: Self) -> Self {
        Self {
            field: most(self.field, other.field),
            jump: most(self.jump, other.jump),
        }
    }
}

impl Op {
    /// From what one input sees of the image to what one output does.
    const fn extend(&self, x: [usize; 3], [rows, columns]: &mut [Reach; 2]) {
        let (sizes, strides) = self.covers(x);
        rows.grow(sizes[0], strides[0]);
        columns.grow(sizes[1], strides[1]);
        if let Self::ConvTranspose { window, .. } = self {
            rows.jump = rows.jump.div_ceil(window.stride[0]);
            columns.jump = columns.jump.div_ceil(window.stride[1]);
        }
    }

    /// How much of its input one output sees, and how far it steps.
    const fn covers(&self, [height, width, _]: [usize; 3]) -> ([usize; 2], [usize; 2]) {
        match self {
            // As many stamps overlap at most.
            Self::ConvTranspose { window, .. } => (
                [
                    window.size[0].div_ceil(window.stride[0]),
                    window.size[1].div_ceil(window.stride[1]),
                ],
                [1, 1],
            ),
            Self::Conv { window, .. }
            | Self::Depthwise { window, .. }
            | Self::MaxPool { window }
            | Self::AvgPool { window } => ([window.covers(0), window.covers(1)], window.stride),
            // One written by hand may look anywhere.
            Self::GlobalAvgPool | Self::GlobalMaxPool | Self::Fc { .. } | Self::Own { .. } => {
                ([height, width], [1, 1])
            }
            Self::Network { what } => (what.nested.field, what.nested.jump),
            Self::BatchNorm { .. }
            | Self::Lrn { .. }
            | Self::Relu
            | Self::Relu6
            | Self::LeakyRelu { .. }
            | Self::Sigmoid
            | Self::Tanh
            | Self::HardSwish
            | Self::Softmax
            | Self::Dropout { .. }
            | Self::Flatten
            | Self::Branch { .. }
            | Self::Add { .. }
            | Self::Concat { .. } => ([1, 1], [1, 1]),
        }
    }
}

impl Totals {
    /// Of no layers.
    pub(super) const NONE: Self = Self {
        arena: 0,
        prepared: 0,
        tape: 0,
        tape_scratch: 0,
        parameters: 0,
        fixed: 0,
        flash: 0,
        macs: 0,
        peak: 0,
    };

    /// How many bytes of the tape are for the volumes.
    #[doc(hidden)]
    #[must_use]
    pub const fn volumes(&self) -> usize {
        self.tape - self.tape_scratch
    }

    /// Counts a step in, if there is room for it.
    const fn add(&mut self, step: &Step) -> Result<(), Misfit> {
        let parameters = self.parameters + step.parameters;
        let fixed = self.fixed + step.fixed;
        if parameters > MOST_SCALARS || fixed > MOST_SCALARS {
            return Err(Misfit::TooLarge("number of parameters"));
        }
        let Some(macs) = self.macs.checked_add(step.macs) else {
            return Err(Misfit::TooLarge("number of multiply-adds"));
        };
        (self.parameters, self.fixed, self.macs) = (parameters, fixed, macs);
        self.flash = self.flash.saturating_add(step.flash);
        Ok(())
    }
}

const fn figures(x: [usize; 3], op: &Op) -> Result<Step, Misfit> {
    if x[0] == 0 || x[1] == 0 || x[2] == 0 {
        return Err(Misfit::NoInput);
    }
    ok!(check(x));
    match op {
        Op::Conv {
            filters,
            groups,
            bias,
            window,
        } => {
            let mut step = slide(ok!(window.place([x[0], x[1]])), *filters);
            if *groups == 0 || !x[2].is_multiple_of(*groups) || !filters.is_multiple_of(*groups) {
                return Err(Misfit::Groups {
                    groups: *groups,
                    depth: x[2],
                    filters: *filters,
                });
            }
            let filter = [window.size[0], window.size[1], x[2] / *groups];
            ok!(learn(&mut step, filter, *bias));
            Ok(step)
        }
        Op::Depthwise { bias, window } => {
            let mut step = slide(ok!(window.place([x[0], x[1]])), x[2]);
            ok!(learn(&mut step, [window.size[0], window.size[1], 1], *bias));
            Ok(step)
        }
        Op::MaxPool { window } | Op::AvgPool { window } => pool(x, window),
        Op::ConvTranspose { filters, window } => transpose(x, *filters, window),
        Op::BatchNorm { .. } => Ok(Step {
            volume: x,
            parameters: 2 * x[2],
            fixed: 2 * x[2],
            ..Step::EMPTY
        }),
        Op::GlobalAvgPool | Op::GlobalMaxPool => Ok(Step {
            volume: [1, 1, x[2]],
            ..Step::EMPTY
        }),
        Op::Fc { filters } => {
            let mut step = Step {
                volume: [1, 1, *filters],
                ..Step::EMPTY
            };
            ok!(learn(&mut step, x, true));
            Ok(step)
        }
        Op::Own { what, volume, .. } => {
            ok!(check(*volume));
            let Nested {
                parameters, fixed, ..
            } = what.nested;
            Ok(Step {
                volume: *volume,
                parameters,
                fixed,
                ..Step::EMPTY
            })
        }
        Op::Network { what } => {
            let inner = &what.nested;
            if !block::same(x, inner.input, 3) {
                return Err(Misfit::Reads {
                    expected: inner.input,
                    found: x,
                });
            }
            ok!(check(inner.output));
            Ok(Step {
                volume: inner.output,
                parameters: inner.parameters,
                fixed: inner.fixed,
                macs: inner.macs,
                ..Step::EMPTY
            })
        }
        Op::Lrn { .. }
        | Op::Relu
        | Op::Relu6
        | Op::LeakyRelu { .. }
        | Op::Sigmoid
        | Op::Tanh
        | Op::HardSwish
        | Op::Softmax
        | Op::Dropout { .. }
        | Op::Flatten => Ok(same(x)),
        // `block` knows them.
        Op::Branch { .. } | Op::Add { .. } | Op::Concat { .. } => Ok(same(x)),
    }
}

const fn same(volume: [usize; 3]) -> Step {
    Step {
        volume,
        ..Step::EMPTY
    }
}

const fn slide([rows, columns]: [Placed; 2], depth: usize) -> Step {
    Step {
        volume: [rows.output, columns.output, depth],
        before: [rows.before, columns.before],
        lost: [rows.lost, columns.lost],
        added: [rows.added, columns.added],
        ..Step::EMPTY
    }
}

const fn pool(x: [usize; 3], window: &Window) -> Result<Step, Misfit> {
    let step = slide(ok!(window.place_pool([x[0], x[1]])), x[2]);
    ok!(check(step.volume));
    Ok(step)
}

/// The filters, a bias each if they have one, and a multiply-add for each weight at each position.
const fn learn(step: &mut Step, filter: [usize; 3], bias: bool) -> Result<(), Misfit> {
    const TOO_MANY: Misfit = Misfit::TooLarge("number of parameters");
    let [height, width, filters] = step.volume;
    if filters == 0 {
        return Err(Misfit::NoFilters);
    }
    ok!(check(step.volume));
    let weights = match product(filter) {
        Some(scalars) => match scalars.checked_mul(filters) {
            Some(weights) if weights <= MOST_SCALARS => weights,
            _ => return Err(TOO_MANY),
        },
        None => return Err(TOO_MANY),
    };
    step.filter_depth = filter[2];
    if bias {
        step.parameters = weights + filters;
    } else {
        (step.parameters, step.fixed) = (weights, filters);
    }
    step.macs = ok!(work(weights, height * width));
    Ok(())
}

/// A multiply-add for each weight at each position.
const fn work(weights: usize, positions: usize) -> Result<u64, Misfit> {
    match (weights as u64).checked_mul(positions as u64) {
        Some(macs) => Ok(macs),
        None => Err(Misfit::TooLarge("number of multiply-adds")),
    }
}

/// A conv's way back: its weights meet every input.
const fn transpose(x: [usize; 3], filters: usize, window: &Window) -> Result<Step, Misfit> {
    let columns = ok!(ok!(window.axis(1, x[1])).place_transposed());
    let rows = ok!(ok!(window.axis(0, x[0])).place_transposed());
    let mut step = slide([rows, columns], filters);
    ok!(learn(
        &mut step,
        [window.size[0], window.size[1], x[2]],
        true
    ));
    step.macs = ok!(work(step.parameters - filters, x[0] * x[1]));
    Ok(step)
}

/// Whether a volume can be addressed.
pub(super) const fn check(volume: [usize; 3]) -> Result<(), Misfit> {
    match product(volume) {
        Some(_) => Ok(()),
        None => Err(Misfit::TooLarge("volume")),
    }
}

const fn product([height, width, depth]: [usize; 3]) -> Option<usize> {
    match height.checked_mul(width) {
        Some(area) => match area.checked_mul(depth) {
            Some(all) if all <= MOST_SCALARS => Some(all),
            _ => None,
        },
        None => None,
    }
}

const fn most(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}
