//! The gradient on the input: dot products over the filters, as tiles of registers.
//!
//! ```text
//!                       filters[tap][d]    filters[tap][d+1]  …      both are contiguous in k
//!   dy[output 0] ──▶    sum += dy · f      sum += dy · f             P × R vectors of lanes of k,
//!   dy[output 1] ──▶    sum += dy · f      sum += dy · f             added up at the end
//!        …
//! ```
//!
//! With a stride S, the inputs `phase, phase + S, …` meet every S-th tap and neighbouring outputs:
//! each phase is a convolution of stride 1.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::Sizes;
use super::conv_filters::even;
use super::lanes::{Lanes, widest};
use super::window::groups;

/// P at most.
const PIXELS: usize = 3;
/// R at most.
const DEPTHS: usize = 4;

#[inline(always)]
pub(super) fn backward<S: Simd>(
    simd: S,
    sizes: &Sizes,
    dx: &mut [f32],
    dy: &[f32],
    filters: &[f32],
) {
    widest!(simd: S, sizes.y[2], sweep(sizes, dy, filters, dx));
}

#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>>(
    simd: S,
    sizes: &Sizes,
    dy: &[f32],
    filters: &[f32],
    dx: &mut [f32],
) {
    let ([_, width, depth], [_, wo, k]) = (sizes.x, sizes.y);
    let [sy, sx] = sizes.stride;
    for d in even(depth, DEPTHS) {
        for (v, u) in sizes
            .axis(0)
            .phases()
            .flat_map(|v| sizes.axis(1).phases().map(move |u| (v, u)))
        {
            for rows in v.runs() {
                for columns in u.runs() {
                    let taps = Taps {
                        dy,
                        filters,
                        sizes,
                        taps: [
                            [rows.taps.start, rows.taps.end, v.tap],
                            [columns.taps.start, columns.taps.end, u.tap],
                        ],
                        d: d.start,
                    };
                    for (size, places) in
                        groups([rows.places.clone(), columns.places.clone()], PIXELS)
                    {
                        let at = places.map(|[m, n]| Pixel {
                            dy: ((v.output + m) * wo + u.output + n) * k,
                            dx: ((v.first + m * sy) * width + u.first + n * sx) * depth + d.start,
                        });
                        match size {
                            1 => depths::<S, V, 1>(simd, &taps, &at, d.len(), dx),
                            2 => depths::<S, V, 2>(simd, &taps, &at, d.len(), dx),
                            _ => depths::<S, V, PIXELS>(simd, &taps, &at, d.len(), dx),
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn depths<S: Simd, V: Lanes<S>, const P: usize>(
    simd: S,
    taps: &Taps<'_>,
    pixels: &[Pixel; 8],
    depths: usize,
    dx: &mut [f32],
) {
    match depths {
        1 => tile::<S, V, P, 1>(simd, taps, pixels, dx),
        2 => tile::<S, V, P, 2>(simd, taps, pixels, dx),
        3 => tile::<S, V, P, 3>(simd, taps, pixels, dx),
        _ => tile::<S, V, P, DEPTHS>(simd, taps, pixels, dx),
    }
}

/// What the tiles of one rectangle share. An axis of `taps` is `[first j, last j + 1, tap of j = 0]`.
struct Taps<'a> {
    dy: &'a [f32],
    filters: &'a [f32],
    sizes: &'a Sizes,
    taps: [[usize; 3]; 2],
    d: usize,
}

/// Where the output that meets tap j = 0 lies in `dy` (perhaps outside: then that tap is not asked
/// for), and the depths in `dx`.
#[derive(Clone, Copy)]
struct Pixel {
    dy: usize,
    dx: usize,
}

#[inline(always)]
fn tile<S: Simd, V: Lanes<S>, const P: usize, const R: usize>(
    simd: S,
    taps: &Taps<'_>,
    pixels: &[Pixel; 8],
    dx: &mut [f32],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let ([_, _, depth], [_, wo, k]) = (taps.sizes.x, taps.sizes.y);
            let ([_, fw], [sy, sx]) = (taps.sizes.filter, taps.sizes.stride);
            let [[v0, v1, fy], [u0, u1, fx]] = taps.taps;
            let mut sums = [[V::splat(simd, 0.0); R]; P];
            for v in v0..v1 {
                for u in u0..u1 {
                    let f_at = (((fy + v * sy) * fw + fx + u * sx) * depth + taps.d) * k;
                    let back = (v * wo + u) * k;
                    let (mut dys, mut fs) = ([&[][..]; P], [&[][..]; R]);
                    for p in 0..P {
                        let at = pixels[p].dy - back;
                        let Some(dy) = taps.dy.get(at..at + k) else {
                            return;
                        };
                        dys[p] = dy;
                    }
                    for r in 0..R {
                        let at = f_at + r * k;
                        let Some(f) = taps.filters.get(at..at + k) else {
                            return;
                        };
                        fs[r] = f;
                    }
                    let mut at = 0;
                    while at < k {
                        // The last vector ends at the last filter; lanes already summed are zeroed.
                        let from = at.min(k - V::LEN);
                        let mut vectors = [V::splat(simd, 0.0); R];
                        for r in 0..R {
                            let Some(f) = V::load(simd, fs[r], from) else {
                                return;
                            };
                            vectors[r] = f;
                        }
                        for p in 0..P {
                            let Some(mut dy) = V::load(simd, dys[p], from) else {
                                return;
                            };
                            if from < at {
                                dy = dy.clear_below(at - from);
                            }
                            for r in 0..R {
                                sums[p][r] = dy.mul_add(vectors[r], sums[p][r]);
                            }
                        }
                        at += V::LEN;
                    }
                }
            }
            for p in 0..P {
                let Some(dx) = dx.get_mut(pixels[p].dx..) else {
                    return;
                };
                let Some(dx) = dx.first_chunk_mut::<R>() else {
                    return;
                };
                for r in 0..R {
                    dx[r] = sums[p][r].sum();
                }
            }
        },
    );
}
