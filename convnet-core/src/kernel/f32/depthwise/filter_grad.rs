//! The gradient on depthwise filters: for a tile of outputs, every tap's gradient is read and written
//! once.
//!
//! ```text
//!   d_f[u][d‥d+L] += Σ x[pixel p + u][d‥d+L] · dy[p][d‥d+L]      over the tile's outputs p
//! ```
//!
//! As in [`conv`](crate::kernel::f32::conv), pixels whose windows meet the border in the same way form a
//! rectangle.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use crate::kernel::Sizes;
use crate::kernel::f32::conv::filter_grad::sum_rows;
use crate::kernel::f32::conv::walk;
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::{Walk, extent};

#[inline(never)]
pub(crate) fn add_gradient(
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
    for rows in sizes.axis::<0>().runs() {
        for columns in sizes.axis::<1>().runs() {
            if rows.is_empty() || columns.is_empty() {
                continue;
            }
            let (fy, fx) = (&rows.taps, &columns.taps);
            let places = [rows.places.len(), columns.places.len()];
            let rectangle = Rectangle::new(sizes, x, places, [fy.len(), fx.len()]);
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

/// Pixels that have the same taps.
struct Rectangle<'a> {
    x: &'a [f32],
    depth: usize,
    /// Rows and columns of them.
    places: [usize; 2],
    /// Rows and columns of taps.
    taps: [usize; 2],
    /// From one window to the next in a row, in pixels of `x`.
    stride: usize,
    /// From one row of `x` to the next.
    x_pitch: usize,
    /// From one row of taps to the next.
    filter_pitch: usize,
}

impl<'a> Rectangle<'a> {
    #[inline(always)]
    fn new(sizes: &Sizes, x: &'a [f32], places: [usize; 2], taps: [usize; 2]) -> Self {
        let [_, width, depth] = sizes.x;
        Self {
            x,
            depth,
            places,
            taps,
            stride: sizes.stride[1],
            x_pitch: width * depth,
            filter_pitch: sizes.filter[1] * depth,
        }
    }

    /// What the windows of P neighbours see, the first of them from `at` on.
    #[inline(always)]
    fn seen<const P: usize>(&self, at: usize) -> Option<&'a [f32]> {
        let [rows, columns] = self.taps;
        let columns = (P - 1).checked_mul(self.stride)?.checked_add(columns)?;
        let row = columns.checked_mul(self.depth)?;
        self.x.get(at..)?.get(..extent(rows, self.x_pitch, row)?)
    }

    /// FW and SX as constants if they are: what depends on them is unrolled then.
    #[inline(always)]
    const fn window<const FW: usize, const SX: usize>(&self) -> [usize; 2] {
        if FW > 0 {
            [FW, SX]
        } else {
            [self.taps[1], self.stride]
        }
    }
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
            let [rows, columns] = rectangle.places;
            for _ in 0..rows {
                let mut left = columns;
                while left >= 4 {
                    add_tile::<S, V, FW, SX, 4>(simd, rectangle, dy, d_filters, walk.take(4))?;
                    left -= 4;
                }
                match left {
                    3 => add_tile::<S, V, FW, SX, 3>(simd, rectangle, dy, d_filters, walk.take(3))?,
                    2 => add_tile::<S, V, FW, SX, 2>(simd, rectangle, dy, d_filters, walk.take(2))?,
                    1 => add_tile::<S, V, FW, SX, 1>(simd, rectangle, dy, d_filters, walk.take(1))?,
                    _ => {}
                }
            }
            Some(())
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
            let tap = |u: usize| v * filter_pitch + u * depth + from;
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
