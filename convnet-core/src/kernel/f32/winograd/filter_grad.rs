//! The gradient on the filters, by Winograd's algorithm.
//!
//! ```text
//!   x: a tile of A×A ─────Bᵀ·B──▶ V[A·A][tile][D] ──┐  A·A outer products, summed over the tiles
//!                                                   ├─▶ [A·A][D][16] ──Aᵀ·A──▶ dg: F×F of D and 16 filters
//!   dy: a tile of M×M ────G·Gᵀ──▶ Z[A·A][tile][16] ─┘
//! ```
//!
//! A correlation whose F×F outputs are the taps, and whose "filters" of M×M are the tiles of dy: so G and
//! Aᵀ are not those of the [forward pass](super), and V is.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::training::{MOST, Room};
use super::transform::{spread, sums};
use super::{corner, inputs, plane};
use crate::kernel::f32::conv::filter_grad::sum_rows;
use crate::kernel::f32::conv::panels::{PANEL, starts};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::{even, extent};
use crate::kernel::{Sizes, Winograd};

/// Sizes, x and the gradient on y.
type Volumes<'a> = (&'a Sizes, &'a [f32], &'a [f32]);

/// `d_filters += Σ x · dy`, and `d_bias += Σ dy`.
#[inline(never)]
pub(crate) fn add_gradient(
    sizes: &Sizes,
    winograd: Winograd,
    (x, dy): (&[f32], &[f32]),
    scratch: &mut [f32],
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    let (mut room, _) = Room::new(sizes, winograd, scratch)?;
    let from = (sizes, x, dy);
    dispatch!(simd => correlate(simd, winograd, from, &mut room, d_filters))?;
    dispatch!(simd => sum_rows(simd, dy, d_bias))
}

/// Adds to the gradient on the filters.
#[inline(always)]
fn correlate<S: Simd>(
    simd: S,
    winograd: Winograd,
    from: Volumes<'_>,
    room: &mut Room,
    d_filters: &mut [f32],
) -> Option<()> {
    match (winograd, from.0.filter[0]) {
        (Winograd::Two, 3) => gradient::<S, S::f32s, 1, 4, 2, 3>(simd, from, room, d_filters),
        (Winograd::Four, 3) => gradient::<S, S::f32s, 2, 6, 4, 3>(simd, from, room, d_filters),
        (Winograd::Four, 5) => gradient::<S, S::f32s, 3, 8, 4, 5>(simd, from, room, d_filters),
        _ => None,
    }
}

/// The gradient on the filters, a block of tiles and a panel of filters at a time.
#[inline(always)]
fn gradient<
    S: Simd,
    V: Lanes<S>,
    const H: usize,
    const A: usize,
    const M: usize,
    const F: usize,
>(
    simd: S,
    (sizes, x, dy): Volumes<'_>,
    room: &mut Room,
    d_filters: &mut [f32],
) -> Option<()> {
    let (depth, k) = (sizes.x[2], sizes.y[2]);
    for tiles in even(super::tiles(sizes, M), MOST) {
        let [v_plane, z_plane] = [plane(tiles.len(), depth), plane(tiles.len(), PANEL)];
        inputs::<S, V, H, A, M>(simd, sizes, x, &tiles, v_plane, room.v)?;
        for (s, first) in starts(k).enumerate() {
            for (t, tile) in tiles.clone().enumerate() {
                let to = room.m.get_mut(t * PANEL..)?;
                let corner = corner(sizes, M, tile);
                slopes::<S, V, H, A, M>(simd, sizes, dy.get(first..)?, corner, z_plane, to)?;
            }
            for position in 0..A * A {
                let v = room
                    .v
                    .get(position * v_plane..)?
                    .get(..tiles.len() * depth)?;
                let z = room
                    .m
                    .get(position * z_plane..)?
                    .get(..tiles.len() * PANEL)?;
                let to = room.u.get_mut(position * plane(depth, PANEL)..)?;
                match const { 2 * V::LEN <= PANEL } {
                    true => outer::<S, V, 6, 2>(simd, depth, v, z, to)?,
                    false => outer::<S, V, 12, 1>(simd, depth, v, z, to)?,
                }
            }
            let to = d_filters.get_mut(first..)?;
            add_sums::<S, V, H, A, F>(simd, sizes, s * PANEL - first, room.u, to)?;
        }
    }
    Some(())
}

/// Z = G dy Gᵀ of the first 16 filters' gradient on the outputs at `corner`, to every `plane` of `z`.
fn slopes<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const M: usize>(
    simd: S,
    sizes: &Sizes,
    dy: &[f32],
    corner: [usize; 2],
    plane: usize,
    z: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let [height, width, k] = sizes.y;
            let zero = V::splat(simd, 0.0);
            for at in (0..PANEL).step_by(V::LEN) {
                let mut tile = [[zero; M]; M];
                for r in 0..M {
                    for c in 0..M {
                        let [y, x] = [corner[0] + r, corner[1] + c];
                        if y < height && x < width {
                            tile[r][c] = V::load(simd, dy, (y * width + x) * k + at)?;
                        }
                    }
                }
                spread::<S, V, H, A, M>(simd, tile, z, plane, at);
            }
            Some(())
        },
    )
}

/// `m[d][16] = Σ v[tile][d] · z[tile][16]`, in tiles of R × N vectors of registers.
fn outer<S: Simd, V: Lanes<S>, const R: usize, const N: usize>(
    simd: S,
    depth: usize,
    v: &[f32],
    z: &[f32],
    m: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let (last, (z, _)) = (depth.checked_sub(R)?, z.as_chunks::<PANEL>());
            if v.len() < z.len() * depth || !PANEL.is_multiple_of(N * V::LEN) {
                return None;
            }
            for d in (0..depth).step_by(R) {
                // The last rows end at the last depth, and may compute some a second time.
                let d = d.min(last);
                for at in (0..PANEL).step_by(N * V::LEN) {
                    let mut sums = [[V::splat(simd, 0.0); N]; R];
                    let mut row = d;
                    for z in z {
                        let mut vectors = [V::splat(simd, 0.0); N];
                        for n in 0..N {
                            // SAFETY: at + N · LEN <= PANEL, which N · LEN divides.
                            vectors[n] = unsafe { V::load_unchecked(simd, z, at + n * V::LEN) };
                        }
                        for r in 0..R {
                            // SAFETY: row + r < (z.len() − 1) · depth + last + R <= v.len().
                            let x = V::splat(simd, *unsafe { v.get_unchecked(row + r) });
                            for n in 0..N {
                                sums[r][n] = x.mul_add(vectors[n], sums[r][n]);
                            }
                        }
                        row += depth;
                    }
                    for r in 0..R {
                        for n in 0..N {
                            sums[r][n].store(m, (d + r) * PANEL + at + n * V::LEN);
                        }
                    }
                }
            }
            Some(())
        },
    )
}

/// Adds Aᵀ m A to the gradient of 16 filters, but for the first `done` of them.
fn add_sums<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const F: usize>(
    simd: S,
    sizes: &Sizes,
    done: usize,
    m: &[f32],
    d_filters: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let (depth, k) = (sizes.x[2], sizes.y[2]);
            let zero = V::splat(simd, 0.0);
            let to_plane = plane(depth, PANEL);
            let m = m.get(..extent(A * A, to_plane, depth * PANEL)?)?;
            let d_filters = d_filters.get_mut(..extent(F * F * depth, k, PANEL)?)?;
            if !PANEL.is_multiple_of(V::LEN) {
                return None;
            }
            for d in 0..depth {
                for at in (0..PANEL).step_by(V::LEN) {
                    let mut tile = [[zero; A]; F];
                    for c in 0..A {
                        let mut column = [zero; A];
                        for r in 0..A {
                            let at = (r * A + c) * to_plane + d * PANEL + at;
                            // SAFETY: at + LEN <= (A² − 1) · to_plane + depth · PANEL = m.len(),
                            // because r < A, c < A, d < depth and at + LEN <= PANEL.
                            column[r] = unsafe { V::load_unchecked(simd, m, at) };
                        }
                        let column = sums::<S, V, H, A, F>(simd, column);
                        for r in 0..F {
                            tile[r][c] = column[r];
                        }
                    }
                    for r in 0..F {
                        let row = sums::<S, V, H, A, F>(simd, tile[r]);
                        for c in 0..F {
                            let to = ((r * F + c) * depth + d) * k + at;
                            let sum = match done.saturating_sub(at) {
                                0 => row[c],
                                done => row[c].clear_below(done.min(V::LEN)),
                            };
                            // SAFETY: to + LEN <= (F² · depth − 1) · k + PANEL = d_filters.len(),
                            // because r < F, c < F, d < depth and at + LEN <= PANEL.
                            unsafe {
                                let old = V::load_unchecked(simd, d_filters, to);
                                old.add(sum).store_unchecked(d_filters, to);
                            }
                        }
                    }
                }
            }
            Some(())
        },
    )
}
