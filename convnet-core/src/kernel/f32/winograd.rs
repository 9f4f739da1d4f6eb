//! Winograd's convolution: filters of stride 1, 3x3 or 5x5, with fewer multiplications.
//!
//! ```text
//!   x: a tile of A×A ──Bᵀ·B──▶ V[A·A][tile][D] ─┐
//!                                               ├─ A·A products of matrices ─▶ M[A·A][tile][K]
//!   filters F×F ───────G·Gᵀ──▶ U[A·A][D][K] ────┘       (register tiles)            │
//!   (packed once)                                               y: a tile of M×M ◀─Aᵀ·A──┘
//! ```
//!
//! A polynomial product by its values at points 0, ±p₁ … ±p_H and ∞ (Toom and Cook; Winograd,
//! *Arithmetic Complexity of Computations*, 1980; Lavin and Gray, 2016), so A = 2H + 2 and a tile of
//! M = A − F + 1 outputs takes A² multiplications a filter and depth instead of F²·M²: for F = 3,
//! 2.25, 4 and 5.06 times fewer with H = 1, 2, 3; for F = 5, 6.25 times fewer with H = 3. Points come
//! in pairs, so sums over even and odd powers are shared. V depends on A only.
//!
//! What it costs is precision: see [`Winograd`].

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

pub(crate) mod filter_grad;
pub(crate) mod training;
pub(crate) mod transform;

use core::ops::Range;

use fearless_simd::Simd;

use self::transform::{LONGEST, filter_rows, sums, values};
use super::conv::panels::{self, PANEL, Panels, starts};
use super::tile::{Start, Taps};
use crate::kernel::cache::{L2, scalars};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::{Walk, even, extent};
use crate::kernel::{Packed, Scale, Sizes, Winograd};

/// What is worked on together: `tiles` tiles by `filters` filters.
///
/// Where V of a dozen tiles fits into three quarters of the second-level cache, it stays there while
/// panel after panel of M passes through the rest. Where it does not, each plane of V is multiplied
/// by all filters, which come from far away, so that they are read once. That is also how it is done where
/// register tiles take several panels: those are twice as fast, and so are best fed from end to end.
#[derive(Clone, Copy)]
struct Block {
    tiles: usize,
    /// As many tiles as any part of the output has in a block.
    most: usize,
    filters: usize,
}

/// For a level whose tiles take so many panels `beside` each other.
const fn block(sizes: &Sizes, side: usize, beside: usize) -> Block {
    let (depth, k) = (sizes.x[2], sizes.y[2]);
    let points = reach(sizes, side) * reach(sizes, side);
    let tiles = tiles(sizes, side);
    let near = match beside {
        1 => scalars::<f32>(L2 / 4 * 3) / (points * depth) / 6 * 6,
        _ => 0,
    };
    let (most, filters) = match near {
        0..12 => (MOST, k),
        12..MOST => (near, PANEL),
        _ => (MOST, PANEL),
    };
    Block {
        // As even as possible.
        tiles: tiles.div_ceil(tiles.div_ceil(most)),
        most: if tiles < most { tiles } else { most },
        filters,
    }
}

/// Tiles of `side` outputs, the last ones of a row or column reaching out.
pub(crate) const fn tiles(sizes: &Sizes, side: usize) -> usize {
    let [height, width, _] = sizes.y;
    height.div_ceil(side) * width.div_ceil(side)
}

/// The first output of tile `tile`, row by row.
pub(crate) fn corner(sizes: &Sizes, side: usize, tile: usize) -> [usize; 2] {
    let across = sizes.y[1].div_ceil(side);
    [tile / across * side, tile % across * side]
}

/// A: rows, and columns, of the input that a tile of `side` outputs reads.
pub(crate) const fn reach(sizes: &Sizes, side: usize) -> usize {
    side + sizes.filter[0] - 1
}

/// Tiles at most.
const MOST: usize = 48;

/// A plane of V or M; the line between two keeps them from the same sets of a cache.
pub(crate) const fn plane(tiles: usize, depth: usize) -> usize {
    (tiles * depth).next_multiple_of(PANEL) + PANEL
}

/// As many scalars as any level of this target needs.
pub(crate) const fn scratch(sizes: &Sizes, winograd: Winograd) -> usize {
    let one = scratch_of(sizes, winograd, 1);
    let several = scratch_of(sizes, winograd, panels::MOST);
    if several > one { several } else { one }
}

const fn scratch_of(sizes: &Sizes, winograd: Winograd, beside: usize) -> usize {
    let side = winograd.side();
    let (a, block) = (reach(sizes, side), block(sizes, side, beside));
    a * a * (plane(block.most, sizes.x[2]) + plane(block.most, block.filters))
}

pub(crate) const fn packed(sizes: &Sizes, winograd: Winograd) -> usize {
    let a = reach(sizes, winograd.side());
    a * a * sizes.x[2] * PANEL * sizes.y[2].div_ceil(PANEL)
}

/// U = G g Gᵀ as `[position][panel][d][16]`, rounded once.
pub(crate) fn pack(
    sizes: &Sizes,
    winograd: Winograd,
    filters: &[f32],
    scale: Scale<'_>,
    packed: &mut [f32],
) {
    let (a, f) = (reach(sizes, winograd.side()), sizes.filter[0]);
    let ([_, _, depth], k) = (sizes.x, sizes.y[2]);
    let g = filter_rows(a / 2 - 1, f);
    let at = |position: usize| packed_at(position, depth, k);
    for d in 0..depth {
        for (s, start) in starts(k).enumerate() {
            for lane in 0..PANEL {
                let tap = |fy: usize, fx: usize| {
                    let k_at = start + lane;
                    f64::from(filters[((fy * f + fx) * depth + d) * k + k_at])
                        * f64::from(scale.of(k_at))
                };
                for u in 0..a {
                    let mut row = [0.0; LONGEST];
                    for fx in 0..f {
                        row[fx] = (0..f).map(|fy| g[u][fy] * tap(fy, fx)).sum();
                    }
                    for v in 0..a {
                        let value: f64 = (0..f).map(|fx| row[fx] * g[v][fx]).sum();
                        #[expect(clippy::cast_possible_truncation, reason = "rounded once")]
                        let rounded = value as f32;
                        packed[at(u * a + v) + (s * depth + d) * PANEL + lane] = rounded;
                    }
                }
            }
        }
    }
}

fn packed_at(position: usize, depth: usize, k: usize) -> usize {
    position * depth * PANEL * k.div_ceil(PANEL)
}

#[inline(never)]
pub(crate) fn forward(
    from: &Packed<'_, f32>,
    winograd: Winograd,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    dispatch!(simd => forward_with(simd, from, winograd, x, scratch, y))
}

#[inline(always)]
fn forward_with<S: Simd>(
    simd: S,
    from: &Packed<'_, f32>,
    winograd: Winograd,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    match (winograd, from.sizes.filter) {
        (Winograd::Two, [3, 3]) => blocks::<S, S::f32s, 1, 4, 2>(simd, from, x, scratch, y),
        (Winograd::Four, [3, 3]) => blocks::<S, S::f32s, 2, 6, 4>(simd, from, x, scratch, y),
        (Winograd::Six, [3, 3]) => blocks::<S, S::f32s, 3, 8, 6>(simd, from, x, scratch, y),
        (Winograd::Four, [5, 5]) => blocks::<S, S::f32s, 3, 8, 4>(simd, from, x, scratch, y),
        _ => None,
    }
}

#[inline(always)]
fn blocks<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const M: usize>(
    simd: S,
    from: &Packed<'_, f32>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let beside = const { Panels::beside::<S, V>() };
    let (depth, k, block) = (sizes.x[2], sizes.y[2], block(sizes, M, beside));
    let planes = [plane(block.tiles, depth), plane(block.tiles, block.filters)];
    let (v, m) = scratch.split_at_mut_checked(A * A * planes[0])?;
    for tiles in even(tiles(sizes, M), block.tiles) {
        inputs::<S, V, H, A, M>(simd, sizes, x, &tiles, planes[0], v)?;
        let panels = block.filters.div_ceil(PANEL);
        for panel in (0..k.div_ceil(PANEL)).step_by(panels) {
            // The last panel of all ends at the last filter, and so do its outputs. Those that are
            // computed a second time are so whole: products begin with zero, outputs with the bias.
            let first = (panel * PANEL).min(k - block.filters);
            for position in 0..A * A {
                let at = packed_at(position, depth, k) + panel * depth * PANEL;
                let operands = Operands {
                    v: v.get(position * planes[0]..)?,
                    weights: from.packed.get(at..)?,
                    tiles: tiles.len(),
                    depth,
                    filters: block.filters,
                };
                multiply::<S, V>(simd, &operands, m.get_mut(position * planes[1]..)?)?;
            }
            let products = Products {
                m,
                plane: planes[1],
                filters: first..first + block.filters,
            };
            outputs::<S, V, H, A, M>(simd, from, &products, &tiles, y)?;
        }
    }
    Some(())
}

/// One position of V and U.
pub(crate) struct Operands<'a> {
    pub(crate) v: &'a [f32],
    pub(crate) weights: &'a [f32],
    pub(crate) tiles: usize,
    pub(crate) depth: usize,
    pub(crate) filters: usize,
}

/// `m[tile][k] = Σ v[tile][d] · weights[panel][d][16]`
#[inline(always)]
pub(crate) fn multiply<S: Simd, V: Lanes<S>>(
    simd: S,
    from: &Operands,
    m: &mut [f32],
) -> Option<()> {
    let &Operands {
        v,
        weights,
        tiles,
        depth,
        filters,
    } = from;
    let walk = Walk::new(tiles, [0, 0], [depth, filters], [0, 0]);
    let panels = Panels {
        k: filters,
        len: depth * PANEL,
    };
    for (panel, count) in panels.groups::<S, V>() {
        let taps = Taps {
            x: v,
            weights: weights.get(panel * panels.len..)?,
            start: Start::Zero,
            clamp: None,
            rows: 1,
            row: depth,
            x_pitch: 0,
            weight_pitch: 0,
            weight_step: PANEL,
            apart: 0,
            to: [],
        };
        panels.sweep::<S, V>(simd, &taps, (panel, count), (&walk, tiles), m)?;
    }
    Some(())
}

/// V of the `tiles`, one after the other.
#[inline(always)]
pub(crate) fn inputs<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const M: usize>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    tiles: &Range<usize>,
    plane: usize,
    v: &mut [f32],
) -> Option<()> {
    for (t, tile) in tiles.clone().enumerate() {
        let to = v.get_mut(t * sizes.x[2]..)?;
        input::<S, V, H, A>(simd, sizes, x, corner(sizes, M, tile), plane, to)?;
    }
    Some(())
}

/// Bᵀ d B of the tile whose first output is `corner`, to every `plane` of `v`.
fn input<S: Simd, V: Lanes<S>, const H: usize, const A: usize>(
    simd: S,
    sizes: &Sizes,
    x: &[f32],
    corner: [usize; 2],
    plane: usize,
    v: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let [height, width, depth] = sizes.x;
            let [top, left] = sizes.before;
            // Rows and columns of the tile that are inside the image.
            let inside = |corner: usize, before: usize, size: usize| -> Range<usize> {
                let low = before.saturating_sub(corner).min(A);
                low..(size + before).saturating_sub(corner).clamp(low, A)
            };
            let rows = inside(corner[0], top, height);
            let columns = inside(corner[1], left, width);
            // Wraps if the tile starts on the padding.
            let start = (corner[0].wrapping_sub(top))
                .wrapping_mul(width)
                .wrapping_add(corner[1].wrapping_sub(left))
                .wrapping_mul(depth);
            let zero = V::splat(simd, 0.0);
            let v = v.get_mut(..extent(A * A, plane, depth)?)?;
            let whole = if rows.len() == A && columns.len() == A {
                let len = extent(A, width * depth, A * depth)?;
                Some(x.get(start..)?.get(..len)?)
            } else {
                None
            };
            let last = depth.checked_sub(V::LEN)?;
            for d in (0..depth).step_by(V::LEN) {
                let d = d.min(last);
                let mut tile = [[zero; A]; A];
                for c in 0..A {
                    let mut column = [zero; A];
                    for r in 0..A {
                        let at = (r * width + c) * depth + d;
                        if let Some(x) = whole {
                            // SAFETY: at + LEN <= (A − 1) · width · depth + A · depth = x.len(),
                            // because r < A, c < A and d + LEN <= depth.
                            column[r] = unsafe { V::load_unchecked(simd, x, at) };
                        } else if rows.contains(&r) && columns.contains(&c) {
                            column[r] = V::load(simd, x, start.wrapping_add(at))?;
                        }
                    }
                    let column = values::<S, V, H, A>(simd, column);
                    for r in 0..A {
                        tile[r][c] = column[r];
                    }
                }
                for r in 0..A {
                    let row = values::<S, V, H, A>(simd, tile[r]);
                    for c in 0..A {
                        // SAFETY: at + LEN <= (A² − 1) · plane + depth = v.len(), because r < A, c < A
                        // and d + LEN <= depth.
                        unsafe { row[c].store_unchecked(v, (r * A + c) * plane + d) };
                    }
                }
            }
            Some(())
        },
    )
}

/// M of the tiles, one after the other.
pub(crate) struct Products<'a> {
    pub(crate) m: &'a [f32],
    /// From one position to the next.
    pub(crate) plane: usize,
    pub(crate) filters: Range<usize>,
}

/// The outputs of the `tiles`.
#[inline(always)]
pub(crate) fn outputs<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const M: usize>(
    simd: S,
    from: &Packed<'_, f32>,
    products: &Products,
    tiles: &Range<usize>,
    y: &mut [f32],
) -> Option<()> {
    for (t, tile) in tiles.clone().enumerate() {
        let of_tile = Products {
            m: products.m.get(t * products.filters.len()..)?,
            plane: products.plane,
            filters: products.filters.clone(),
        };
        output::<S, V, H, A, M>(simd, from, &of_tile, corner(from.sizes, M, tile), y)?;
    }
    Some(())
}

/// Aᵀ m A of the first tile, with bias and clamp, to the outputs at `corner`.
fn output<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const M: usize>(
    simd: S,
    from: &Packed<'_, f32>,
    products: &Products,
    corner: [usize; 2],
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let [height, width, k] = from.sizes.y;
            let [rows, columns] = [height - corner[0], width - corner[1]].map(|rest| rest.min(M));
            let (zero, clamp) = (V::splat(simd, 0.0), from.clamp.bounds());
            let (first, filters) = (products.filters.start, products.filters.len());
            let last = filters.checked_sub(V::LEN)?;
            let m = products.m.get(..extent(A * A, products.plane, filters)?)?;
            let y = y.get_mut((corner[0] * width + corner[1]) * k + first..)?;
            let whole = [rows, columns] == [M; 2]
                && y.len() >= extent(M, width * k, extent(M, k, filters)?)?;
            for at in (0..filters).step_by(V::LEN) {
                let at = at.min(last);
                let bias = V::load(simd, from.bias, first + at)?;
                let mut tile = [[zero; A]; M];
                for c in 0..A {
                    let mut column = [zero; A];
                    for r in 0..A {
                        let at = (r * A + c) * products.plane + at;
                        // SAFETY: at + LEN <= (A² − 1) · plane + filters = m.len(), because r < A,
                        // c < A and at + LEN <= filters.
                        column[r] = unsafe { V::load_unchecked(simd, m, at) };
                    }
                    let column = sums::<S, V, H, A, M>(simd, column);
                    for r in 0..M {
                        tile[r][c] = column[r];
                    }
                }
                for r in 0..rows {
                    let row = sums::<S, V, H, A, M>(simd, tile[r]);
                    for c in 0..M {
                        let at = (r * width + c) * k + at;
                        let mut sum = row[c].add(bias);
                        if from.onto && c < columns {
                            sum = sum.add(V::load(simd, y, at)?);
                        }
                        let sum = sum.clamp(simd, clamp);
                        if whole {
                            // SAFETY: at + LEN <= (M − 1) · width · k + (M − 1) · k + filters <=
                            // y.len(), because r < M, c < M and at + LEN <= filters.
                            unsafe { sum.store_unchecked(y, at) };
                        } else if c < columns {
                            sum.store(y, at);
                        }
                    }
                }
            }
            Some(())
        },
    )
}
