//! Convolution: the sum over taps and depths, as tiles of registers.
//!
//! ```text
//!                      filters[i]: one row of K   (i runs over fx and d, which are contiguous
//!                      ┌────────┬────────┐         in x and in the filters)
//!                      │ k..k+L │k+L..k+2L        N vectors of L lanes
//!                      └────────┴────────┘
//!   x[pixel 0][i] ──▶  ┌────────┬────────┐
//!   x[pixel 1][i] ──▶  │ sum += x · filter │      P × N vectors that never leave the registers
//!        …             │        │        │
//!   x[pixel P][i] ──▶  └────────┴────────┘
//! ```
//!
//! Pixels whose window hangs over the same border in the same way form a rectangle, and any P of
//! them make a tile: nothing is tested inside.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::Sizes;
use super::lanes::{Lanes, widest};
use super::window::groups;

/// P at most.
const PIXELS: usize = 6;

#[inline(always)]
pub(super) fn forward<S: Simd>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    filters: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    widest!(simd: S, sizes.y[2], strips(sizes, x, filters, bias, y));
}

/// All filters, two vectors of them at a time. The last vector ends at the last filter, and may
/// compute some a second time.
#[inline(always)]
fn strips<S: Simd, V: Lanes<S>>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    filters: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    let (k, len) = (sizes.y[2], V::LEN);
    let mut at = 0;
    while at < k {
        if k - at > len {
            let ks = [at, (at + len).min(k - len)];
            sweep::<S, V, 2>(simd, sizes, x, filters, bias, ks, y);
        } else {
            sweep::<S, V, 1>(simd, sizes, x, filters, bias, [k - len], y);
        }
        at += 2 * len;
    }
}

/// All pixels for the filters at `ks`.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    filters: &[f32],
    bias: &[f32],
    ks: [usize; N],
    y: &mut [f32],
) {
    let ([_, width, depth], [_, wo, k]) = (sizes.x, sizes.y);
    let ([_, fw], [sy, sx], [py, px]) = (sizes.filter, sizes.stride, sizes.before);
    for rows in sizes.axis(0).runs() {
        for columns in sizes.axis(1).runs() {
            let taps = Taps {
                x,
                filters: filters
                    .get((rows.taps.start * fw + columns.taps.start) * depth * k..)
                    .unwrap_or_default(), // no tap meets the input
                bias,
                rows: if columns.taps.is_empty() {
                    0
                } else {
                    rows.taps.len()
                },
                row: columns.taps.len() * depth,
                x_pitch: width * depth,
                filter_pitch: fw * depth * k,
                k,
                ks,
            };
            for (size, places) in groups([rows.places.clone(), columns.places.clone()], PIXELS) {
                let at = places.map(|[oy, ox]| Pixel {
                    x: ((oy * sy + rows.taps.start).wrapping_sub(py))
                        .wrapping_mul(width)
                        .wrapping_add((ox * sx + columns.taps.start).wrapping_sub(px))
                        .wrapping_mul(depth),
                    y: (oy * wo + ox) * k,
                });
                match size {
                    1 => tile::<S, V, 1, N>(simd, &taps, &at, y),
                    2 => tile::<S, V, 2, N>(simd, &taps, &at, y),
                    3 => tile::<S, V, 3, N>(simd, &taps, &at, y),
                    4 => tile::<S, V, 4, N>(simd, &taps, &at, y),
                    5 => tile::<S, V, 5, N>(simd, &taps, &at, y),
                    _ => tile::<S, V, PIXELS, N>(simd, &taps, &at, y),
                }
            }
        }
    }
}

/// What the tiles of one rectangle share.
struct Taps<'a, const N: usize> {
    x: &'a [f32],
    filters: &'a [f32],
    bias: &'a [f32],
    rows: usize,
    row: usize,
    x_pitch: usize,
    filter_pitch: usize,
    k: usize,
    ks: [usize; N],
}

/// Where a pixel's window starts in `x` and where its output lies in `y`.
#[derive(Clone, Copy)]
struct Pixel {
    x: usize,
    y: usize,
}

#[inline(always)]
fn tile<S: Simd, V: Lanes<S>, const P: usize, const N: usize>(
    simd: S,
    taps: &Taps<'_, N>,
    pixels: &[Pixel; 8],
    y: &mut [f32],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut sums = [[V::splat(simd, 0.0); N]; P];
            for n in 0..N {
                let Some(bias) = V::load(simd, taps.bias, taps.ks[n]) else {
                    return;
                };
                for p in 0..P {
                    sums[p][n] = bias;
                }
            }
            for fy in 0..taps.rows {
                let mut xs = [&[][..]; P];
                for p in 0..P {
                    let at = pixels[p].x + fy * taps.x_pitch;
                    let Some(x) = taps.x.get(at..at + taps.row) else {
                        return;
                    };
                    xs[p] = x;
                }
                let Some(filters) = taps.filters.get(fy * taps.filter_pitch..) else {
                    return;
                };
                for (i, filters) in filters.chunks(taps.k).take(taps.row).enumerate() {
                    let mut row = [V::splat(simd, 0.0); N];
                    for n in 0..N {
                        let Some(vector) = V::load(simd, filters, taps.ks[n]) else {
                            return;
                        };
                        row[n] = vector;
                    }
                    for p in 0..P {
                        let x = V::splat(simd, xs[p][i]);
                        for n in 0..N {
                            sums[p][n] = x.mul_add(row[n], sums[p][n]);
                        }
                    }
                }
            }
            for p in 0..P {
                for n in 0..N {
                    sums[p][n].store(y, pixels[p].y + taps.ks[n]);
                }
            }
        },
    );
}
