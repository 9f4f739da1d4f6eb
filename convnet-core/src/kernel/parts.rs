//! One large layer on many threads: rows of a convolution's output, filters of an `fc`.
//!
//! ```text
//!   x ┌────────┐            ┌────────┐ y
//!     │        │ ─ part 0 ─▶│ rows   │      a part is a convolution of other sizes: its x begins
//!     ├ ─ ─ ─ ─┤            ├────────┤      where its first window does
//!     │        │ ─ part 1 ─▶│ rows   │
//!     └────────┘            └────────┘
//! ```
//!
//! Winograd's tiles are not cut, and an `fc` keeps parts too long for another order of its sums; so
//! **invariant:** the result is the same to the bit in any number of parts.

use core::ops::Range;

use super::f32::fc;
use super::{Packed, level, run, with_level};

/// Multiply-adds of a part at least: a tenth of a millisecond, several times what it takes to wake
/// another thread.
const WORK: usize = 1 << 22;

/// Weights of a part of an `fc` at least; they are read once, from far away.
const WEIGHTS: usize = 1 << 18;

/// Filters of a part of an `fc` are a multiple of this.
const FILTERS: usize = 256;

/// The convolution, in as many parts as there are threads, scratch and work for.
pub(super) fn forward(
    from: &Packed<'_, f32>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let (sizes, need) = (from.sizes, from.algorithm.scratch(from.sizes));
    let [height, width, _] = sizes.y;
    let work = sizes.filters() * height * width;
    let room = scratch.len().checked_div(need).unwrap_or(usize::MAX);
    let parts = from.threads.min(room).min(work / WORK);
    let parts = parts.min(height.div_ceil(from.algorithm.band()));
    halves(from, 0..height, parts, x, scratch, y)
}

/// `rows` of the output, cut in the middle until there are so many parts.
pub(super) fn halves(
    from: &Packed<'_, f32>,
    rows: Range<usize>,
    parts: usize,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let step = from.algorithm.band();
    if parts <= 1 || rows.len() <= step {
        return part(from, rows, x, scratch, y);
    }
    let left = parts / 2;
    let steps = (rows.len().div_ceil(step) * left / parts).max(1);
    let middle = rows.start + steps * step;
    let [_, width, filters] = from.sizes.y;
    let (above, below) = y.split_at_mut_checked((middle - rows.start) * width * filters)?;
    let room = left * from.algorithm.scratch(from.sizes);
    let (scratch, more) = scratch.split_at_mut_checked(room)?;
    join(
        || halves(from, rows.start..middle, left, x, scratch, above),
        || halves(from, middle..rows.end, parts - left, x, more, below),
    )
}

/// `rows` of the output, on this thread.
fn part(
    from: &Packed<'_, f32>,
    rows: Range<usize>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let (sizes, start) = from.sizes.rows(rows);
    let from = Packed {
        sizes: &sizes,
        ..*from
    };
    run(&from, x.get(start * sizes.x[1] * sizes.x[2]..)?, scratch, y)
}

/// The `fc`, in as many parts as there are threads and weights for.
pub(super) fn fc(from: &fc::Operands<'_>, threads: usize, y: &mut [f32]) -> Option<()> {
    let parts = threads
        .min(from.x.len() * y.len() / WEIGHTS)
        .min(y.len() / FILTERS);
    fc_halves(from, parts, y)
}

pub(super) fn fc_halves(from: &fc::Operands<'_>, parts: usize, y: &mut [f32]) -> Option<()> {
    if parts <= 1 {
        return fc::forward(from, y);
    }
    let left = parts / 2;
    let middle = y.len() / FILTERS * left / parts * FILTERS;
    let (first, last) = y.split_at_mut_checked(middle)?;
    let (bias, more) = from.bias.split_at_checked(middle)?;
    let (before, after) = (
        fc::Operands { bias, ..*from },
        fc::Operands {
            filters: from.filters.get(middle..)?,
            bias: more,
            ..*from
        },
    );
    join(
        || fc_halves(&before, left, first),
        || fc_halves(&after, parts - left, last),
    )
}

/// Both, on threads of the current pool, with the instruction set of this one.
fn join(
    a: impl FnOnce() -> Option<()> + Send,
    b: impl FnOnce() -> Option<()> + Send,
) -> Option<()> {
    let level = level();
    let (a, b) = rayon::join(|| with_level(level, a), || with_level(level, b));
    a.and(b)
}
