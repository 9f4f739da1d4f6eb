//! Where the ways through a block meet: the sums of `residual`, the products of `scale`, the slices of `concat` and `outputs`.

use super::{Depth, Op, Step, figures, volume};
use crate::shape::{Misfit, ok};

/// Whether what layer `layer` reads is there, whole, and everything before it is read by somebody.
pub(super) const fn linked(ops: &[Op], readers: &[Readers], layer: usize) -> bool {
    let named = ops[layer].names();
    if let Some(v) = named
        && v > layer
    {
        return false;
    }
    if let Some((_, last)) = ops[layer].ends_branch() {
        let onto = match named {
            Some(v) if is_slice(ops, v) => {
                let same = crate::text::same(ops[layer].variant(), ops[v - 1].variant());
                same && readers[v].count == 1
            }
            Some(_) => false,
            None => true,
        };
        return onto && !is_slice(ops, layer) && (last || branches(ops, layer + 1));
    }
    match (ops[layer], named) {
        // A `Branch` reads `from`, so somebody else has to read the volume before it.
        (Op::Branch { from }, _) => {
            let followed = layer + 1 < ops.len();
            followed && !is_slice(ops, from) && (from == layer || readers[layer].count > 0)
        }
        (_, Some(v)) => !is_slice(ops, v) && !is_slice(ops, layer),
        (_, None) => !is_slice(ops, layer),
    }
}

/// Which layers name a volume.
#[derive(Clone, Copy)]
pub(super) struct Readers {
    /// How many.
    pub(super) count: usize,
    /// One more than the last of them; 0 if there is none.
    pub(super) end: usize,
}

impl Readers {
    pub(super) const NONE: Self = Self { count: 0, end: 0 };

    /// Those of each volume but the last one, which nobody can name.
    pub(super) const fn find(ops: &[Op], readers: &mut [Self]) {
        let mut layer = 0;
        while layer < ops.len() {
            if let Some(v) = ops[layer].names()
                && v <= layer
            {
                readers[v].count += 1;
                readers[v].end = layer + 1;
            }
            layer += 1;
        }
    }
}

/// Whether volume `v` is a concatenation that misses slices.
const fn is_slice(ops: &[Op], v: usize) -> bool {
    v > 0 && matches!(ops[v - 1].ends_branch(), Some((_, false)))
}

const fn branches(ops: &[Op], layer: usize) -> bool {
    layer < ops.len() && matches!(ops[layer], Op::Branch { .. })
}

/// The volume where two ways meet.
pub(super) const fn join(
    input: [usize; 3],
    ops: &[Op],
    steps: &[Step],
    layer: usize,
    depth: Depth,
) -> Result<Step, Misfit> {
    let x = volume(input, steps, layer);
    if let Op::Outputs { onto, .. } = ops[layer] {
        let before = match onto {
            Some(v) => steps[v - 1].volume[2],
            None => 0,
        };
        let Some(numbers) = figures::product(x) else {
            return Err(Misfit::TooLarge("volume"));
        };
        return slice([1, 1, numbers], before, depth);
    }
    if let Op::Concat {
        onto, input: at, ..
    } = ops[layer]
    {
        let Some(v) = onto else {
            return slice(x, 0, depth);
        };
        let first = steps[v - 1].volume;
        if !same(x, first, 2) {
            // A branch behind the first begins with a `Branch`.
            let [one, other] = [begins(ops, at, at), begins(ops, v, at)];
            let [one, other] = [volume(input, steps, one), volume(input, steps, other)];
            return Err(Misfit::Slices {
                input: match same(one, other, 2) {
                    true => Some(one),
                    false => None,
                },
                first,
                branch: branch(ops, layer),
                other: x,
            });
        }
        return slice(x, first[2], depth);
    }
    if let Op::Scale { with } = ops[layer] {
        let scaled = volume(input, steps, with);
        if !same(x, scaled, 3) && !same(x, [1, 1, scaled[2]], 3) {
            return Err(Misfit::Product {
                input: scaled,
                body: x,
            });
        }
        return Ok(Step {
            volume: scaled,
            ..Step::EMPTY
        });
    }
    if let Op::Add { with, input: at } = ops[layer]
        && !same(x, volume(input, steps, with), 3)
    {
        let [body, from] = summands(ops, layer, with, at);
        let way = [volume(input, steps, body), volume(input, steps, from)];
        return Err(Misfit::Sum {
            input: volume(input, steps, at),
            body: way[0],
            shortcut: match body < layer {
                true => Some(x),
                false => None,
            },
            from: match from == at {
                true => None,
                false => Some(way[1]),
            },
        });
    }
    Ok(Step {
        volume: x,
        ..Step::EMPTY
    })
}

/// Of the sum that layer `layer` makes of the volume before it and volume `with`: the volume that the block's
/// own layers write, and the one at which its shortcut begins.
pub(super) const fn summands(ops: &[Op], layer: usize, with: usize, input: usize) -> [usize; 2] {
    match with > input {
        true => [with, begins(ops, with, input)],
        false => [layer, with],
    }
}

/// The volume at which the way begins that is layer `layer` and those behind it, of a block that reads `input`.
const fn begins(ops: &[Op], layer: usize, input: usize) -> usize {
    if let Op::Branch { from } = ops[layer] {
        from
    } else {
        input
    }
}

/// The volume that ends with slice x; `before` is the depth of those before it.
const fn slice(x: [usize; 3], before: usize, depth: Depth) -> Result<Step, Misfit> {
    let [height, width, own] = x;
    let (slice, deep) = match depth {
        Depth::Sum => (before, before.saturating_add(own)),
        Depth::One => (0, own),
    };
    let volume = [height, width, deep];
    ok!(figures::check(volume));
    Ok(Step {
        volume,
        slice,
        ..Step::EMPTY
    })
}

/// Every branch writes into the volume that the last one, `layer`, makes whole.
pub(super) const fn deepen(ops: &[Op], steps: &mut [Step], layer: usize) {
    let whole = steps[layer].volume;
    let mut at = layer;
    while let Some((Some(v), _)) = ops[at].ends_branch() {
        at = v - 1;
        steps[at].volume = whole;
    }
}

/// Which branch ends at `layer`, from 1.
const fn branch(ops: &[Op], layer: usize) -> usize {
    let (mut branch, mut at) = (1, layer);
    while let Some((Some(v), _)) = ops[at].ends_branch() {
        branch += 1;
        at = v - 1;
    }
    branch
}

/// Whether the first `axes` of height, width and depth are equal.
pub(super) const fn same(a: [usize; 3], b: [usize; 3], axes: usize) -> bool {
    let mut axis = 0;
    while axis < axes {
        if a[axis] != b[axis] {
            return false;
        }
        axis += 1;
    }
    true
}
