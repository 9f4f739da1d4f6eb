//! Volumes, parameters, multiply-adds and receptive fields: what does not depend on memory.

use super::block::{self, Readers};
use super::{Depth, Elements, Failure, MOST_SCALARS, Nested, Op, Step, Totals, volume};
use crate::graph::{Decimals, Length, RoleOf, Sees, TensorOf};
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
    let (first, second) = ops[layer].reads(layer);
    let mut reach = reach(steps, first);
    step.learned = ops[layer].has_parameters() || learned(steps, first);
    if let Some(second) = second {
        step.learned |= learned(steps, second);
        let other = self::reach(steps, second);
        reach = [reach[0].or(other[0]), reach[1].or(other[1])];
    }
    ops[layer].extend(x, &mut reach);
    // Clamped here or after all layers, what is beyond the image comes to the same.
    step.field = [
        least(reach[0].field, input[0]),
        least(reach[1].field, input[1]),
    ];
    step.jump = [reach[0].jump, reach[1].jump];
    steps[layer] = step;
    if let Some((_, true)) = ops[layer].ends_branch() {
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
    let op = &ops[layer];
    if let Some(from) = op.branches_from() {
        return Ok(Step {
            volume: volume(input, steps, from),
            ..Step::EMPTY
        });
    }
    if op.joins() {
        return block::join(input, ops, steps, layer, depth);
    }
    match figures(x, op) {
        Err(Misfit::Larger(axis)) if after_fc(ops, layer) => Err(Misfit::AfterFc(axis)),
        figures => figures,
    }
}

/// Bytes of what a step learns and stores: scalars of the network's own; or, of a layer of filters that writes
/// `i8`, filters of `i8` and a bias of `i32` each, as TensorFlow Lite keeps them.
const fn flash(op: &Op, step: &Step) -> usize {
    let scalars = step.parameters + step.fixed;
    match (op.has_filters(), step.element) {
        (true, ElementType::I8) => scalars + 3 * step.volume[2],
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
        let op = ops[v - 1];
        if op.has_filters() && matches!(op.sees(), Sees::Everything) {
            return true;
        }
        v = match op.branches_from() {
            Some(from) => from,
            None => v - 1,
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
        if let (Sees::Stamps | Sees::Between, Some(window)) = (self.sees(), self.window()) {
            rows.jump = rows.jump.div_ceil(window.stride[0]);
            columns.jump = columns.jump.div_ceil(window.stride[1]);
        }
    }

    /// How much of its input one output sees, and how far it steps.
    const fn covers(&self, [height, width, _]: [usize; 3]) -> ([usize; 2], [usize; 2]) {
        let window = window(self);
        match self.sees() {
            Sees::Pixel | Sees::Padded => ([1, 1], [1, 1]),
            Sees::Between => ([2, 2], [1, 1]),
            Sees::Slides | Sees::Pools => ([window.covers(0), window.covers(1)], window.stride),
            // As many stamps overlap at most.
            Sees::Stamps => (
                [
                    window.covers(0).div_ceil(window.stride[0]),
                    window.covers(1).div_ceil(window.stride[1]),
                ],
                [1, 1],
            ),
            // One written by hand may look anywhere.
            Sees::Everything | Sees::All | Sees::Anything => ([height, width], [1, 1]),
            Sees::Inner => match self.elsewhere() {
                Some(what) => (what.nested.field, what.nested.jump),
                None => ([1, 1], [1, 1]),
            },
        }
    }
}

/// How the layer slides; what does not slide, as if by a pixel.
const fn window(op: &Op) -> Window {
    match op.window() {
        Some(window) => *window,
        None => Window::square(1, 1, 0),
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
    let (window, place) = (window(op), [x[0], x[1]]);
    let pixels = window.size[0].saturating_mul(window.size[1]);
    let deep = match (op.filters(), op) {
        (Some(filters), _) => *filters,
        (None, Op::DepthToSpace { .. }) => ok!(parts("depth", x[2], pixels)),
        (None, Op::SpaceToDepth { .. }) => {
            ok!(parts("height", x[0], window.size[0]));
            ok!(parts("width", x[1], window.size[1]));
            x[2].saturating_mul(pixels)
        }
        (None, _) => x[2],
    };
    let mut step = match op.sees() {
        Sees::Pixel | Sees::All => same([x[0], x[1], deep]),
        Sees::Slides => slide(ok!(window.place(place)), deep),
        Sees::Pools => slide(ok!(window.place_pool(place)), deep),
        Sees::Padded => {
            let crops = matches!(op, Op::Crop { .. });
            let columns = ok!(ok!(window.axis(1, x[1])).place_padded(crops));
            let rows = ok!(ok!(window.axis(0, x[0])).place_padded(crops));
            slide([rows, columns], deep)
        }
        Sees::Stamps | Sees::Between => {
            let more = match op.output_pad() {
                Some(more) => *more,
                None => 0,
            };
            let columns = ok!(ok!(window.axis(1, x[1])).place_transposed(more));
            let rows = ok!(ok!(window.axis(0, x[0])).place_transposed(more));
            slide([rows, columns], deep)
        }
        Sees::Everything => same([1, 1, deep]),
        Sees::Anything | Sees::Inner => return elsewhere(x, op),
    };
    if let Some(&groups) = op.groups()
        && (groups == 0 || !x[2].is_multiple_of(groups) || !deep.is_multiple_of(groups))
    {
        return Err(Misfit::Groups {
            groups,
            depth: x[2],
            filters: deep,
        });
    }
    if deep == 0 {
        return Err(Misfit::NoFilters);
    }
    ok!(check_depth(x[2], op));
    ok!(check(step.volume));
    ok!(learn(&mut step, x, op));
    Ok(step)
}

/// How many parts of `by` there are along an axis, if that comes out even.
const fn parts(axis: &'static str, size: usize, by: usize) -> Result<usize, Misfit> {
    match by > 0 && size.is_multiple_of(by) {
        true => Ok(size / by),
        false => Err(Misfit::Uneven { axis, size, by }),
    }
}

/// Whether the depth slices that it takes are there, or those that it adds to.
const fn check_depth(depth: usize, op: &Op) -> Result<(), Misfit> {
    if let Op::Slices { filters, from } = *op
        && from.saturating_add(filters) > depth
    {
        return Err(Misfit::Missing {
            filters,
            from,
            depth,
        });
    }
    if let Op::Normalize { mean, std } = op {
        ok!(check_numbers("mean", mean, depth));
        ok!(check_numbers("std", std, depth));
    }
    if let Op::PadDepth { filters } = *op
        && filters < depth
    {
        return Err(Misfit::Deeper { filters, depth });
    }
    Ok(())
}

/// Whether a list of numbers has one for each depth slice, or one for all.
const fn check_numbers(name: &'static str, list: &Decimals, depth: usize) -> Result<(), Misfit> {
    match list.fits(depth) {
        true => Ok(()),
        false => Err(Misfit::Numbers {
            name,
            found: list.as_slice().len(),
            depth,
        }),
    }
}

/// A layer written by hand, or a network inside.
const fn elsewhere(x: [usize; 3], op: &Op) -> Result<Step, Misfit> {
    let Some(what) = op.elsewhere() else {
        return Ok(same(x));
    };
    let Nested {
        input,
        output,
        parameters,
        fixed,
        macs,
        ..
    } = what.nested;
    if let Op::Own { volume, .. } = op {
        ok!(check(*volume));
        return Ok(Step {
            volume: *volume,
            parameters,
            fixed,
            ..Step::EMPTY
        });
    }
    if !block::same(x, input, 3) {
        return Err(Misfit::Reads {
            expected: input,
            found: x,
        });
    }
    ok!(check(output));
    Ok(Step {
        volume: output,
        parameters,
        fixed,
        macs,
        ..Step::EMPTY
    })
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

/// The scalars of the layer's tensors, and a multiply-add for each weight at each position: of the output
/// or, where inputs stamp their filters, of the input.
const fn learn(step: &mut Step, x: [usize; 3], op: &Op) -> Result<(), Misfit> {
    const TOO_MANY: Misfit = Misfit::TooLarge("number of parameters");
    let (tensors, window) = (op.word().tensors, window(op));
    let (mut at, mut weights) = (0, 0);
    while at < tensors.len() {
        let (TensorOf { role, shape, .. }, mut scalars, mut axis) = (tensors[at], 1_usize, 0);
        let is_weight = matches!(role, RoleOf::Filters | RoleOf::Weights);
        while axis < shape.len() {
            // Whether along the depth that a filter sees.
            let (length, seen) = match (shape[axis], op.groups()) {
                (Length::FilterDepth, Some(groups)) => match matches!(op.sees(), Sees::Stamps) {
                    true => (step.volume[2] / *groups, true),
                    false => (x[2] / *groups, true),
                },
                (Length::FilterDepth | Length::InputDepth, _) => (x[2], true),
                (Length::One, _) => (1, true),
                (Length::InputHeight, _) => (x[0], false),
                (Length::InputWidth, _) => (x[1], false),
                (Length::FilterHeight, _) => (window.size[0], false),
                (Length::FilterWidth, _) => (window.size[1], false),
                (Length::Depth, _) => (step.volume[2], false),
            };
            // The first: what stamps has the depth of its input behind it.
            if is_weight && seen && step.filter_depth == 0 {
                step.filter_depth = length;
            }
            scalars = match scalars.checked_mul(length) {
                Some(scalars) if scalars <= MOST_SCALARS => scalars,
                _ => return Err(TOO_MANY),
            };
            axis += 1;
        }
        if is_weight {
            weights += scalars;
        }
        let stays = role.is_optional() && !op.has_bias();
        match role.is_learned() && !stays {
            true => step.parameters += scalars,
            false => step.fixed += scalars,
        }
        at += 1;
    }
    if let Op::GroupNorm { groups, .. } = *op {
        step.filter_depth = x[2] / groups;
    }
    let [height, width, _] = match op.sees() {
        Sees::Stamps => x,
        Sees::Pixel
        | Sees::Padded
        | Sees::Between
        | Sees::Slides
        | Sees::Pools
        | Sees::Everything
        | Sees::All
        | Sees::Anything
        | Sees::Inner => step.volume,
    };
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

/// Whether a volume can be addressed.
pub(super) const fn check(volume: [usize; 3]) -> Result<(), Misfit> {
    match product(volume) {
        Some(_) => Ok(()),
        None => Err(Misfit::TooLarge("volume")),
    }
}

pub(super) const fn product([height, width, depth]: [usize; 3]) -> Option<usize> {
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
