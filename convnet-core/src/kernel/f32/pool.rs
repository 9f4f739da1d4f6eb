//! Max pooling, a vector of depths at a time.
//!
//! Windows of 2×2 and 3×3 that lie inside the input have loops of their own, which the compiler
//! unrolls. If windows do not overlap, each writes its own part of the gradient; else they add.

use core::ops::Range;

use fearless_simd::Simd;

use crate::kernel::Sizes;
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::extent;

#[inline(never)]
pub(crate) fn max_forward(sizes: &Sizes, x: &[f32], y: &mut [f32]) -> Option<()> {
    dispatch!(simd => forward_with(simd, sizes, x, y))
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, sizes: &Sizes, x: &[f32], y: &mut [f32]) -> Option<()> {
    widest!(simd: S, sizes.y[2], forward(sizes, x, y))
}

#[inline(always)]
fn forward<S: Simd, V: Lanes<S>>(simd: S, sizes: &Sizes, x: &[f32], y: &mut [f32]) -> Option<()> {
    match sizes.filter {
        [2, 2] => forward_by::<S, V, 2>(simd, sizes, x, y),
        [3, 3] => forward_by::<S, V, 3>(simd, sizes, x, y),
        _ => forward_by::<S, V, 0>(simd, sizes, x, y),
    }
}

#[inline(always)]
fn forward_by<S: Simd, V: Lanes<S>, const F: usize>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    y: &mut [f32],
) -> Option<()> {
    let depth = sizes.y[2];
    let mut y = y.chunks_exact_mut(depth);
    each_patch(sizes, |patch| {
        let (x, y) = (x.get(patch.span())?, y.next()?);
        for at in (0..depth).step_by(V::LEN) {
            // The last vector ends at the last depth, and computes some a second time.
            let from = at.min(depth - V::LEN);
            let mut best = V::splat(simd, f32::NEG_INFINITY);
            patch.each::<F>(|tap, pixel| {
                // SAFETY: pixel + depth <= x.len(), and from + LEN <= depth.
                let x = unsafe { V::load_unchecked(simd, x, pixel + from) };
                best = if tap == 0 { x } else { x.largest(best) };
            });
            best.store(y, from);
        }
        Some(())
    })
}

/// Declines, with `dx` written, if a window holds NaN: a sum over all of them tells, for a fraction of what
/// it would cost to tell the first NaN of each.
#[inline(never)]
pub(crate) fn max_backward(sizes: &Sizes, x: &[f32], dx: &mut [f32], dy: &[f32]) -> Option<()> {
    dx.fill(0.0);
    dispatch!(simd => backward_with(simd, sizes, x, dx, dy))
}

#[inline(always)]
fn backward_with<S: Simd>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dx: &mut [f32],
    dy: &[f32],
) -> Option<()> {
    widest!(simd: S, sizes.y[2], backward(sizes, x, dx, dy))
}

#[inline(always)]
fn backward<S: Simd, V: Lanes<S>>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dx: &mut [f32],
    dy: &[f32],
) -> Option<()> {
    let ([fh, fw], [sy, sx]) = (sizes.filter, sizes.stride);
    match (sizes.filter, fh <= sy && fw <= sx) {
        ([2, 2], true) => backward_by::<S, V, 2, true>(simd, sizes, x, dx, dy),
        ([3, 3], false) => backward_by::<S, V, 3, false>(simd, sizes, x, dx, dy),
        _ => backward_by::<S, V, 0, false>(simd, sizes, x, dx, dy),
    }
}

#[inline(always)]
fn backward_by<S: Simd, V: Lanes<S>, const F: usize, const APART: bool>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dx: &mut [f32],
    dy: &[f32],
) -> Option<()> {
    let (depth, zero) = (sizes.y[2], V::splat(simd, 0.0));
    let mut dy = dy.chunks_exact(depth);
    // NaN if anything that a window sees is, or if it sees infinities of both signs.
    let mut all = zero;
    each_patch(sizes, |patch| {
        let (x, dx, dy) = (x.get(patch.span())?, dx.get_mut(patch.span())?, dy.next()?);
        for at in (0..depth).step_by(V::LEN) {
            // The last vector ends at the last depth; lanes already done are written once more, or
            // add nothing.
            let from = at.min(depth - V::LEN);
            let mut dy = V::load(simd, dy, from)?;
            if !APART && from < at {
                dy = dy.clear_below(at - from);
            }
            // The first of the largest, counted from zero; exact in `f32` up to 2²⁴ pixels.
            let (mut winner, mut best, mut sum) = (zero, zero, zero);
            patch.each::<F>(|tap, pixel| {
                // SAFETY: pixel + depth <= x.len(), and from + LEN <= depth.
                let x = unsafe { V::load_unchecked(simd, x, pixel + from) };
                if tap == 0 {
                    (best, sum) = (x, x);
                } else {
                    sum = sum.add(x);
                    winner = x.if_greater(best, V::splat(simd, tap as f32), winner);
                    best = x.if_greater(best, x, best);
                }
            });
            all = all.add(sum);
            patch.each::<F>(|tap, pixel| {
                let mut wins = winner.if_equal(V::splat(simd, tap as f32), dy, zero);
                if !APART {
                    // SAFETY: as above; dx is as long as x.
                    wins = wins.add(unsafe { V::load_unchecked(simd, dx, pixel + from) });
                }
                wins.store(dx, pixel + from);
            });
        }
        Some(())
    })?;
    (!all.sum().is_nan()).then_some(())
}

/// The pixels of the input that one output sees: `rows` × `columns` of them from `start` on, as indices of
/// scalars.
struct Patch {
    start: usize,
    rows: usize,
    columns: usize,
    row: usize,
    depth: usize,
}

impl Patch {
    /// From the patch's first scalar to its last.
    #[inline(always)]
    fn span(&self) -> Range<usize> {
        match extent(self.rows, self.row, self.columns * self.depth) {
            Some(len) if self.columns > 0 => self.start..self.start + len,
            _ => 0..0,
        }
    }

    /// Hands over the number of each pixel and where it is in [`span`](Self::span). Loops
    /// of a constant length if the patch has F × F of them.
    #[inline(always)]
    fn each<const F: usize>(&self, mut body: impl FnMut(usize, usize)) {
        let &Self {
            rows,
            columns,
            row,
            depth,
            ..
        } = self;
        if F > 0 && rows == F && columns == F {
            for y in 0..F {
                for x in 0..F {
                    body(y * F + x, y * row + x * depth);
                }
            }
        } else {
            for y in 0..rows {
                for x in 0..columns {
                    body(y * columns + x, y * row + x * depth);
                }
            }
        }
    }
}

/// The patches of all outputs, in memory order.
#[inline(always)]
fn each_patch(sizes: &Sizes, mut body: impl FnMut(Patch) -> Option<()>) -> Option<()> {
    let ([_, width, depth], [sy, sx], [py, px]) = (sizes.x, sizes.stride, sizes.before);
    let (v, u) = (sizes.axis::<0>(), sizes.axis::<1>());
    for oy in 0..v.y {
        let rows = v.taps(oy);
        let y = (oy * sy + rows.start).saturating_sub(py);
        for ox in 0..u.y {
            let columns = u.taps(ox);
            let x = (ox * sx + columns.start).saturating_sub(px);
            body(Patch {
                start: (y * width + x) * depth,
                rows: rows.len(),
                columns: columns.len(),
                row: width * depth,
                depth,
            })?;
        }
    }
    Some(())
}
