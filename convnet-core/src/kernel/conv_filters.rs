//! The gradient on the filters: for each tap the outer products of depth columns of `x` and `dy`,
//! summed over the pixels, as tiles of registers.
//!
//! ```text
//!                     dy[pixel]: K
//!                     ┌────────┬────────┐
//!                     │ k..k+L │k+L..k+2L        N vectors of L lanes
//!                     └────────┴────────┘
//!   x[pixel][d]   ──▶ ┌────────┬────────┐
//!   x[pixel][d+1] ──▶ │ sum += x · dy   │        R × N vectors that stay in registers
//!        …            └────────┴────────┘
//! ```

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use core::ops::Range;

use fearless_simd::Simd;

use super::Sizes;
use super::lanes::{Lanes, widest};

/// R at most.
const DEPTHS: usize = 6;

#[inline(always)]
pub(super) fn add_gradient<S: Simd>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) {
    widest!(simd: S, sizes.y[2], strips(sizes, x, dy, d_filters));
    sum_rows(simd, dy, d_bias);
}

/// All filters, two vectors of them at a time. The last vector ends at the last filter; what it
/// computes a second time is not added.
#[inline(always)]
fn strips<S: Simd, V: Lanes<S>>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
) {
    let (k, len) = (sizes.y[2], V::LEN);
    let mut at = 0;
    while at < k {
        if k - at > len {
            let last = (at + len).min(k - len);
            let (ks, done) = ([at, last], at + len - last);
            sweep::<S, V, 2>(simd, sizes, x, dy, ks, done, d_filters);
        } else {
            let done = at + len - k;
            sweep::<S, V, 1>(simd, sizes, x, dy, [k - len], done, d_filters);
        }
        at += 2 * len;
    }
}

/// All taps and depths for the filters at `ks`; the first `done` lanes of the last vector are
/// dropped.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    dy: &[f32],
    ks: [usize; N],
    done: usize,
    d_filters: &mut [f32],
) {
    let ([_, width, depth], [_, wo, k]) = (sizes.x, sizes.y);
    let ([fh, fw], [sy, sx], [py, px]) = (sizes.filter, sizes.stride, sizes.before);
    for fy in 0..fh {
        for fx in 0..fw {
            let (oy, ox) = (sizes.axis(0).outputs(fy), sizes.axis(1).outputs(fx));
            if oy.is_empty() || ox.is_empty() {
                continue;
            }
            let x_at = ((oy.start * sy + fy - py) * width + ox.start * sx + fx - px) * depth;
            let pixels = Pixels {
                x,
                dy,
                rows: oy.len(),
                columns: ox.len(),
                x_row: sy * width * depth,
                x_pitch: sx * depth,
                dy_at: (oy.start * wo + ox.start) * k,
                dy_row: wo * k,
                k,
                ks,
                done,
            };
            for d in even(depth, DEPTHS) {
                let x_at = x_at + d.start;
                let to = ((fy * fw + fx) * depth + d.start) * k;
                match d.len() {
                    1 => tile::<S, V, 1, N>(simd, &pixels, x_at, to, d_filters),
                    2 => tile::<S, V, 2, N>(simd, &pixels, x_at, to, d_filters),
                    3 => tile::<S, V, 3, N>(simd, &pixels, x_at, to, d_filters),
                    4 => tile::<S, V, 4, N>(simd, &pixels, x_at, to, d_filters),
                    5 => tile::<S, V, 5, N>(simd, &pixels, x_at, to, d_filters),
                    _ => tile::<S, V, DEPTHS, N>(simd, &pixels, x_at, to, d_filters),
                }
            }
        }
    }
}

/// `0..n` in as few ranges of at most `most` as possible, that differ by one at most in length.
pub(super) fn even(n: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = n.div_ceil(most);
    (0..parts).map(move |part| part * n / parts..(part + 1) * n / parts)
}

/// What the tiles of one tap share.
struct Pixels<'a, const N: usize> {
    x: &'a [f32],
    dy: &'a [f32],
    rows: usize,
    columns: usize,
    x_row: usize,
    x_pitch: usize,
    dy_at: usize,
    dy_row: usize,
    k: usize,
    ks: [usize; N],
    done: usize,
}

#[inline(always)]
fn tile<S: Simd, V: Lanes<S>, const R: usize, const N: usize>(
    simd: S,
    pixels: &Pixels<'_, N>,
    x_at: usize,
    to: usize,
    d_filters: &mut [f32],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut sums = [[V::splat(simd, 0.0); N]; R];
            for row in 0..pixels.rows {
                let Some(x) = pixels.x.get(x_at + row * pixels.x_row..) else {
                    return;
                };
                let dy_at = pixels.dy_at + row * pixels.dy_row;
                let Some(dy) = pixels.dy.get(dy_at..dy_at + pixels.columns * pixels.k) else {
                    return;
                };
                for (x, dy) in x.chunks(pixels.x_pitch).zip(dy.chunks_exact(pixels.k)) {
                    let Some(x) = x.first_chunk::<R>() else {
                        return;
                    };
                    let mut vectors = [V::splat(simd, 0.0); N];
                    for n in 0..N {
                        let Some(vector) = V::load(simd, dy, pixels.ks[n]) else {
                            return;
                        };
                        vectors[n] = vector;
                    }
                    for r in 0..R {
                        let x = V::splat(simd, x[r]);
                        for n in 0..N {
                            sums[r][n] = x.mul_add(vectors[n], sums[r][n]);
                        }
                    }
                }
            }
            for r in 0..R {
                sums[r][N - 1] = sums[r][N - 1].clear_below(pixels.done);
                for n in 0..N {
                    let at = to + r * pixels.k + pixels.ks[n];
                    let Some(old) = V::load(simd, d_filters, at) else {
                        return;
                    };
                    sums[r][n].add(old).store(d_filters, at);
                }
            }
        },
    );
}

/// Adds every row of `rows` to `sums`, which is as long as one.
#[inline(always)]
pub(super) fn sum_rows<S: Simd>(simd: S, rows: &[f32], sums: &mut [f32]) {
    if !sums.is_empty() {
        widest!(simd: S, sums.len(), sum_strips(rows, sums));
    }
}

#[inline(always)]
fn sum_strips<S: Simd, V: Lanes<S>>(simd: S, rows: &[f32], sums: &mut [f32]) {
    let k = sums.len();
    let mut at = 0;
    while at < k {
        let from = at.min(k - V::LEN);
        let mut sum = V::splat(simd, 0.0);
        for row in rows.chunks_exact(k) {
            let Some(row) = V::load(simd, row, from) else {
                return;
            };
            sum = sum.add(row);
        }
        let Some(old) = V::load(simd, sums, from) else {
            return;
        };
        sum.clear_below(at - from).add(old).store(sums, from);
        at += V::LEN;
    }
}
