//! The gradient on depthwise filters: for a tile of outputs, every tap's gradient is read and written
//! once.
//!
//! ```text
//!   d_f[u][d‥d+L] += Σ x[pixel p + u][d‥d+L] · dy[p][d‥d+L]      over the tile's outputs p
//! ```
//!
//! Tiles, rectangles and unrolled windows are those of [`depthwise`](super::depthwise).

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::Sizes;
use super::conv::walk;
use super::conv_filters::sum_rows;
use super::depthwise::{Rectangle, each_tile};
use super::lanes::{Lanes, widest};
use super::level::dispatch;
use super::window::Walk;

#[inline(never)]
pub(super) fn add_gradient(
    sizes: &Sizes,
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    dispatch!(simd => add_gradient_with(simd, sizes, x, dy, d_filters, d_bias))
}

#[inline(always)]
fn add_gradient_with<S: Simd>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    widest!(simd: S, sizes.y[2], add_products(sizes, x, dy, d_filters))?;
    sum_rows(simd, dy, d_bias)
}

/// All outputs: each tap's gradient is read and written once for a tile of them.
#[inline(always)]
fn add_products<S: Simd, V: Lanes<S>>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
) -> Option<()> {
    for rows in sizes.axis(0).runs() {
        for columns in sizes.axis(1).runs() {
            if rows.is_empty() || columns.is_empty() {
                continue;
            }
            let (fy, fx) = (&rows.taps, &columns.taps);
            let places = [rows.places.len(), columns.places.len()];
            let rectangle = Rectangle::forward(sizes, x, places, [fy.len(), fx.len()]);
            let first = [fy.start, fx.start * rectangle.depth];
            let mut walk = walk(sizes, [&rows, &columns], first);
            let tap = (fy.start * sizes.filter[1] + fx.start) * rectangle.depth;
            let d_filters = d_filters.get_mut(tap..)?;
            let add = match (fx.len(), rectangle.stride) {
                (3, 1) => add_rectangle::<S, V, 3, 1>,
                (3, 2) => add_rectangle::<S, V, 3, 2>,
                _ => add_rectangle::<S, V, 0, 0>,
            };
            add(simd, &rectangle, dy, &mut walk, d_filters)?;
        }
    }
    Some(())
}

/// All pixels. Called through a pointer, so that it is a function with the registers to itself.
fn add_rectangle<S: Simd, V: Lanes<S>, const FW: usize, const SX: usize>(
    simd: S,
    rectangle: &Rectangle<'_>,
    dy: &[f32],
    walk: &mut Walk,
    d_filters: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            each_tile!(
                rectangle,
                walk,
                add_tile::<S, V, FW, SX>(simd, rectangle, dy, d_filters)
            )
        },
    )
}

/// Adds the products of P outputs of a row with what they saw.
#[inline(always)]
fn add_tile<S: Simd, V: Lanes<S>, const FW: usize, const SX: usize, const P: usize>(
    simd: S,
    rectangle: &Rectangle<'_>,
    dy: &[f32],
    d_filters: &mut [f32],
    [x_at, dy_at]: [usize; 2],
) -> Option<()> {
    let &Rectangle {
        depth,
        taps: [rows, _],
        x_pitch,
        filter_pitch,
        ..
    } = rectangle;
    let x = rectangle.seen::<P>(x_at)?;
    let [fw, sx] = rectangle.window::<FW, SX>();
    let last = depth.checked_sub(V::LEN)?;
    for at in (0..depth).step_by(V::LEN) {
        // The last vector ends at the last depth; lanes already done add nothing.
        let from = at.min(last);
        let mut vectors = [V::splat(simd, 0.0); P];
        for p in 0..P {
            vectors[p] = V::load(simd, dy, dy_at + p * depth + from)?;
            if from < at {
                vectors[p] = vectors[p].clear_below(at - from);
            }
        }
        for v in 0..rows {
            let tap = |u: usize| v * filter_pitch[0] + u * filter_pitch[1] + from;
            // SAFETY: called for j < (P − 1) · sx + fw: at + LEN <= (rows − 1) · x_pitch +
            // ((P − 1) · sx + fw) · depth = x.len(), because from + LEN <= depth.
            let pixel =
                |j: usize| unsafe { V::load_unchecked(simd, x, v * x_pitch + j * depth + from) };
            if FW > 0 {
                let mut sums = [V::splat(simd, 0.0); FW];
                for u in 0..FW {
                    sums[u] = V::load(simd, d_filters, tap(u))?;
                }
                for j in 0..(P - 1) * SX + FW {
                    let x = pixel(j);
                    for p in 0..P {
                        if (p * SX..p * SX + FW).contains(&j) {
                            sums[j - p * SX] = x.mul_add(vectors[p], sums[j - p * SX]);
                        }
                    }
                }
                for u in 0..FW {
                    sums[u].store(d_filters, tap(u));
                }
            } else {
                for u in 0..fw {
                    let mut sum = V::load(simd, d_filters, tap(u))?;
                    for p in 0..P {
                        sum = pixel(p * sx + u).mul_add(vectors[p], sum);
                    }
                    sum.store(d_filters, tap(u));
                }
            }
        }
    }
    Some(())
}
