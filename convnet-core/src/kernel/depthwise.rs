//! Depthwise convolution: vectors run over the depth, where neighbours have nothing to do with each
//! other.
//!
//! ```text
//!   x[pixel][d‥d+L], 6 neighbours ──▶ ┌ f₀ f₁ f₂          ┐
//!                                     │    f₀ f₁ f₂       │   4 sums of L lanes of the depth, for
//!                                     │       f₀ f₁ f₂    │   all rows of taps; then the next L
//!                                     └          f₀ f₁ f₂ ┘
//! ```
//!
//! Windows of neighbours overlap: with 3 taps in a row, 9 loads serve 12 multiply-adds. As in
//! [`conv`](super::conv), pixels whose windows meet the border in the same way form a rectangle; and
//! the gradient on the input is the same sum, with the filters the other way round.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::conv::walk;
use super::lanes::{Lanes, widest};
use super::level::dispatch;
use super::window::{Phase, Walk, extent};
use super::{Clamp, Sizes, conv_input};

/// What forward reads.
pub(super) struct Operands<'a> {
    pub(super) sizes: &'a Sizes,
    pub(super) x: &'a [f32],
    pub(super) filters: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) clamp: Clamp,
}

#[inline(never)]
pub(super) fn forward(from: &Operands, y: &mut [f32]) -> Option<()> {
    dispatch!(simd => forward_with(simd, from, y))
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    widest!(simd: S, from.sizes.y[2], outputs(from, y))
}

/// All outputs.
#[inline(always)]
fn outputs<S: Simd, V: Lanes<S>>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    let &Operands { sizes, x, .. } = from;
    let [_, fw] = sizes.filter;
    for rows in sizes.axis(0).runs() {
        for columns in sizes.axis(1).runs() {
            let (fy, fx) = (&rows.taps, &columns.taps);
            let places = [rows.places.len(), columns.places.len()];
            let rectangle = Rectangle::forward(sizes, x, places, [fy.len(), fx.len()]);
            let sums = Sums {
                // Beyond the filters if no tap meets the input.
                filters: from
                    .filters
                    .get((fy.start * fw + fx.start) * rectangle.depth..)
                    .unwrap_or_default(),
                bias: Some(from.bias),
                clamp: from.clamp.bounds(),
                backwards: false,
            };
            let first = [fy.start, fx.start * rectangle.depth];
            let mut walk = walk(sizes, [&rows, &columns], first);
            sums.write::<S, V>(simd, &rectangle, &mut walk, y)?;
        }
    }
    Some(())
}

#[inline(never)]
pub(super) fn backward_input(
    sizes: &Sizes,
    dx: &mut [f32],
    dy: &[f32],
    filters: &[f32],
) -> Option<()> {
    dispatch!(simd => backward_with(simd, sizes, dx, dy, filters))
}

#[inline(always)]
fn backward_with<S: Simd>(
    simd: S,
    sizes: &Sizes,
    dx: &mut [f32],
    dy: &[f32],
    filters: &[f32],
) -> Option<()> {
    widest!(simd: S, sizes.y[2], inputs(sizes, dx, dy, filters))
}

/// The gradient on all inputs, phase by phase of the stride.
#[inline(always)]
fn inputs<S: Simd, V: Lanes<S>>(
    simd: S,
    sizes: &Sizes,
    dx: &mut [f32],
    dy: &[f32],
    filters: &[f32],
) -> Option<()> {
    let ([_, fw], [sy, sx], [_, wo, depth]) = (sizes.filter, sizes.stride, sizes.y);
    for rows in sizes.axis(0).phases().flat_map(Phase::runs) {
        for columns in sizes.axis(1).phases().flat_map(Phase::runs) {
            let (v, u) = (&rows.1.taps, &columns.1.taps);
            let (fy, fx) = (rows.0.tap + v.start * sy, columns.0.tap + u.start * sx);
            let rectangle = Rectangle {
                x: dy,
                depth,
                places: [rows.1.places.len(), columns.1.places.len()],
                taps: [v.len(), u.len()],
                stride: 1,
                x_pitch: wo * depth,
                y_step: sx * depth,
                filter_pitch: [sy * fw * depth, sx * depth],
            };
            let sums = Sums {
                filters: filters.get((fy * fw + fx) * depth..).unwrap_or_default(),
                bias: None,
                clamp: None,
                backwards: true,
            };
            let mut walk = conv_input::walk(sizes, [&rows, &columns], 0);
            sums.write::<S, V>(simd, &rectangle, &mut walk, dx)?;
        }
    }
    Some(())
}

/// Pixels that have the same taps.
pub(super) struct Rectangle<'a> {
    pub(super) x: &'a [f32],
    pub(super) depth: usize,
    /// Rows and columns of them.
    pub(super) places: [usize; 2],
    /// Rows and columns of taps.
    pub(super) taps: [usize; 2],
    /// From one window to the next in a row, in pixels of `x`.
    pub(super) stride: usize,
    /// From one row of `x` to the next.
    pub(super) x_pitch: usize,
    /// From one pixel that is written to the next in a row.
    y_step: usize,
    /// From one tap to the next, in a column and in a row.
    pub(super) filter_pitch: [usize; 2],
}

impl<'a> Rectangle<'a> {
    #[inline(always)]
    pub(super) fn forward(
        sizes: &Sizes,
        x: &'a [f32],
        places: [usize; 2],
        taps: [usize; 2],
    ) -> Self {
        let [_, width, depth] = sizes.x;
        Self {
            x,
            depth,
            places,
            taps,
            stride: sizes.stride[1],
            x_pitch: width * depth,
            y_step: depth,
            filter_pitch: [sizes.filter[1] * depth, depth],
        }
    }

    /// What the windows of P neighbours see, the first of them from `at` on.
    #[inline(always)]
    pub(super) fn seen<const P: usize>(&self, at: usize) -> Option<&'a [f32]> {
        let [rows, columns] = self.taps;
        let columns = (P - 1).checked_mul(self.stride)?.checked_add(columns)?;
        let row = columns.checked_mul(self.depth)?;
        self.x.get(at..)?.get(..extent(rows, self.x_pitch, row)?)
    }

    /// The filters that [`taps`](Self::taps) says.
    #[inline(always)]
    fn filters<'f>(&self, filters: &'f [f32]) -> Option<&'f [f32]> {
        let [rows, columns] = self.taps;
        let row = extent(columns, self.filter_pitch[1], self.depth)?;
        filters.get(..extent(rows, self.filter_pitch[0], row)?)
    }

    /// FW and SX as constants if they are: what depends on them is unrolled then.
    #[inline(always)]
    pub(super) const fn window<const FW: usize, const SX: usize>(&self) -> [usize; 2] {
        if FW > 0 {
            [FW, SX]
        } else {
            [self.taps[1], self.stride]
        }
    }
}

/// What the pixels of a rectangle become.
struct Sums<'a> {
    /// From the first tap on.
    filters: &'a [f32],
    /// What the sums start from; zero if there is none.
    bias: Option<&'a [f32]>,
    clamp: Option<[f32; 2]>,
    /// Whether the first pixel meets the last tap.
    backwards: bool,
}

/// Calls `$tile` with a const P of 4 and then what is left of a row, for all rows of a rectangle.
macro_rules! each_tile {
    ($rectangle:expr, $walk:expr, $tile:ident::<$($generic:ident),*>($($argument:expr),*)) => {{
        let [rows, columns] = $rectangle.places;
        for _ in 0..rows {
            let mut left = columns;
            while left >= 4 {
                $tile::<$($generic),*, 4>($($argument),*, $walk.take(4))?;
                left -= 4;
            }
            match left {
                3 => $tile::<$($generic),*, 3>($($argument),*, $walk.take(3))?,
                2 => $tile::<$($generic),*, 2>($($argument),*, $walk.take(2))?,
                1 => $tile::<$($generic),*, 1>($($argument),*, $walk.take(1))?,
                _ => {}
            }
        }
        Some(())
    }};
}

pub(super) use each_tile;

impl Sums<'_> {
    #[inline(always)]
    fn write<S: Simd, V: Lanes<S>>(
        &self,
        simd: S,
        rectangle: &Rectangle,
        walk: &mut Walk,
        y: &mut [f32],
    ) -> Option<()> {
        let write = match (rectangle.taps[1], rectangle.stride) {
            (3, 1) => write_rectangle::<S, V, 3, 1>,
            (5, 1) => write_rectangle::<S, V, 5, 1>,
            (3, 2) => write_rectangle::<S, V, 3, 2>,
            _ => write_rectangle::<S, V, 0, 0>,
        };
        write(simd, self, rectangle, walk, y)
    }
}

/// All pixels. Called through a pointer, so that it is a function with the registers to itself.
fn write_rectangle<S: Simd, V: Lanes<S>, const FW: usize, const SX: usize>(
    simd: S,
    sums: &Sums<'_>,
    rectangle: &Rectangle<'_>,
    walk: &mut Walk,
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            each_tile!(
                rectangle,
                walk,
                write_tile::<S, V, FW, SX>(simd, sums, rectangle, y)
            )
        },
    )
}

/// P pixels of a row, from `x` to `y` at these places.
#[inline(always)]
fn write_tile<S: Simd, V: Lanes<S>, const FW: usize, const SX: usize, const P: usize>(
    simd: S,
    sums: &Sums<'_>,
    rectangle: &Rectangle<'_>,
    y: &mut [f32],
    [x_at, y_at]: [usize; 2],
) -> Option<()> {
    let &Rectangle {
        depth,
        taps: [rows, columns],
        x_pitch,
        y_step,
        filter_pitch,
        ..
    } = rectangle;
    let met = rows > 0 && columns > 0;
    let (mut x, mut filters) = (&[][..], &[][..]);
    if met {
        x = rectangle.seen::<P>(x_at)?;
        filters = rectangle.filters(sums.filters)?;
    }
    let [fw, sx] = rectangle.window::<FW, SX>();
    let zero = V::splat(simd, 0.0);
    let last = depth.checked_sub(V::LEN)?;
    let mut at = 0;
    loop {
        // The last vector ends at the last depth, and may compute some a second time.
        let from = at.min(last);
        let mut totals = [zero; P];
        if let Some(bias) = sums.bias {
            totals = [V::load(simd, bias, from)?; P];
        }
        if met {
            for v in 0..rows {
                let fy = if sums.backwards { rows - 1 - v } else { v };
                // SAFETY: called for u < fw: at + LEN <= (rows − 1) · filter_pitch[0] + (fw − 1) ·
                // filter_pitch[1] + depth = filters.len(), because from + LEN <= depth.
                let filter = |u: usize| unsafe {
                    let fx = if sums.backwards { fw - 1 - u } else { u };
                    let at = fy * filter_pitch[0] + fx * filter_pitch[1] + from;
                    V::load_unchecked(simd, filters, at)
                };
                // SAFETY: called for j < (P − 1) · sx + fw: at + LEN <= (rows − 1) · x_pitch +
                // ((P − 1) · sx + fw) · depth = x.len(), because from + LEN <= depth.
                let pixel = |j: usize| unsafe {
                    V::load_unchecked(simd, x, v * x_pitch + j * depth + from)
                };
                if FW > 0 {
                    let mut factors = [zero; FW];
                    for u in 0..FW {
                        factors[u] = filter(u);
                    }
                    for j in 0..(P - 1) * SX + FW {
                        let x = pixel(j);
                        for p in 0..P {
                            if (p * SX..p * SX + FW).contains(&j) {
                                totals[p] = x.mul_add(factors[j - p * SX], totals[p]);
                            }
                        }
                    }
                } else {
                    for u in 0..fw {
                        let factor = filter(u);
                        for p in 0..P {
                            totals[p] = pixel(p * sx + u).mul_add(factor, totals[p]);
                        }
                    }
                }
            }
        }
        for p in 0..P {
            let sum = totals[p].clamp(simd, sums.clamp);
            sum.store(y, y_at + p * y_step + from);
        }
        at += V::LEN;
        if at >= depth {
            break;
        }
    }
    Some(())
}
