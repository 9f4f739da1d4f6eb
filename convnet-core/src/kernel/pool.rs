//! Max pooling, a vector of depths at a time.

use fearless_simd::Simd;

use super::Sizes;
use super::lanes::{Lanes, widest};
use super::level::dispatch;

#[inline(never)]
pub(super) fn max_forward(sizes: &Sizes, x: &[f32], y: &mut [f32]) -> Option<()> {
    dispatch!(simd => forward_with(simd, sizes, x, y))
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, sizes: &Sizes, x: &[f32], y: &mut [f32]) -> Option<()> {
    widest!(simd: S, sizes.y[2], forward(sizes, x, y))
}

#[inline(always)]
fn forward<S: Simd, V: Lanes<S>>(simd: S, sizes: &Sizes, x: &[f32], y: &mut [f32]) -> Option<()> {
    let depth = sizes.y[2];
    for (window, y) in windows(sizes).zip(y.chunks_exact_mut(depth)) {
        for at in (0..depth).step_by(V::LEN) {
            // The last vector ends at the last depth, and computes some a second time.
            let from = at.min(depth - V::LEN);
            let mut best = V::splat(simd, f32::NEG_INFINITY);
            for pixel in window.pixels() {
                let x = V::load(simd, x, pixel + from)?;
                best = x.if_greater(best, x, best);
            }
            best.store(y, from);
        }
    }
    Some(())
}

#[inline(never)]
pub(super) fn max_backward(sizes: &Sizes, x: &[f32], dx: &mut [f32], dy: &[f32]) -> Option<()> {
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
    let (depth, zero) = (sizes.y[2], V::splat(simd, 0.0));
    for (window, dy) in windows(sizes).zip(dy.chunks_exact(depth)) {
        if window.rows == 0 || window.columns == 0 {
            continue;
        }
        for at in (0..depth).step_by(V::LEN) {
            // The last vector ends at the last depth; lanes already done add nothing.
            let from = at.min(depth - V::LEN);
            let mut dy = V::load(simd, dy, from)?;
            if from < at {
                dy = dy.clear_below(at - from);
            }
            let winner = window.winner::<S, V>(simd, x, from)?;
            for (tap, pixel) in window.pixels().enumerate() {
                let wins = winner.if_equal(V::splat(simd, tap as f32), dy, zero);
                V::load(simd, dx, pixel + from)?
                    .add(wins)
                    .store(dx, pixel + from);
            }
        }
    }
    Some(())
}

/// The pixels that one output sees: `rows` × `columns` of them from `start` on, as indices of
/// scalars.
struct Window {
    start: usize,
    rows: usize,
    columns: usize,
    row: usize,
    depth: usize,
}

impl Window {
    #[inline(always)]
    fn pixels(&self) -> impl Iterator<Item = usize> {
        let &Self {
            start,
            rows,
            columns,
            row,
            depth,
        } = self;
        (0..rows).flat_map(move |y| (0..columns).map(move |x| start + y * row + x * depth))
    }

    /// The first of the largest, counted from zero; exact in `f32` up to 2²⁴ pixels.
    #[inline(always)]
    fn winner<S: Simd, V: Lanes<S>>(&self, simd: S, x: &[f32], from: usize) -> Option<V> {
        let mut winner = V::splat(simd, 0.0);
        let mut best = V::load(simd, x, self.start + from)?;
        for (tap, pixel) in self.pixels().enumerate() {
            let x = V::load(simd, x, pixel + from)?;
            winner = x.if_greater(best, V::splat(simd, tap as f32), winner);
            best = x.if_greater(best, x, best);
        }
        Some(winner)
    }
}

/// The windows of all outputs, in memory order.
fn windows(sizes: &Sizes) -> impl Iterator<Item = Window> {
    let ([_, width, depth], [sy, sx], [py, px]) = (sizes.x, sizes.stride, sizes.before);
    let (v, u) = (sizes.axis(0), sizes.axis(1));
    (0..v.y).flat_map(move |oy| {
        let rows = v.taps(oy);
        (0..u.y).map(move |ox| {
            let columns = u.taps(ox);
            let y = (oy * sy + rows.start).saturating_sub(py);
            let x = (ox * sx + columns.start).saturating_sub(px);
            Window {
                start: (y * width + x) * depth,
                rows: rows.len(),
                columns: columns.len(),
                row: width * depth,
                depth,
            }
        })
    })
}
