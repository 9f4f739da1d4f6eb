//! Winograd's convolution along the columns, for few filters: [rows](super), four at a time.
//!
//! ```text
//!   A = 3 + F rows of x,         A rows of V,           A × F' × 2 vectors     4 rows of y,
//!   laid out                     of the same planes     of products            plane by plane,
//!   ┌──────────┐                 ┌──────────┐  Σ d, fx  ┌──────────┐           or two rows
//!   │ rows     │ ──Bᵀ, columns─▶ │ points   │ ────────▶ │ m        │ ──Aᵀ────▶ of their pool
//!   └──────────┘                 └──────────┘   · G g   └──────────┘
//! ```
//!
//! For each filter and depth, A·F multiplications for what takes the direct sum 4·F·F: half as many
//! for filters of 3x3, 2.5 times fewer for 5x5. What V costs, all filters and all F columns share.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::planes::lay;
use super::{FILTERS, Layout, Map, add_products};
use crate::kernel::Sizes;
use crate::kernel::f32::winograd::transform::{sums, values};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::window::even;

/// Whether what [`band`] computes can be pooled before it is stored.
pub(crate) fn pools<S: Simd, V: Lanes<S>>(pool: &Sizes) -> bool {
    let ([height, width, _], [rows, columns, _]) = (pool.x, pool.y);
    [pool.filter, pool.stride] == [[2, 2]; 2]
        && pool.before == [0, 0]
        && rows <= height / 2
        && columns == width / 2
        && columns >= V::LEN
}

/// Where the outputs go.
#[derive(Clone, Copy)]
pub(crate) enum To {
    /// To the ring of rows, plane by plane.
    Ring,
    /// To y, which begins with them.
    Map,
    /// Their pool to y, of so many columns, which begins with it.
    Pool(usize),
}

/// Rows `oy` to `oy + M` of the convolution.
#[inline(always)]
pub(crate) fn band<
    S: Simd,
    V: Lanes<S>,
    const F: usize,
    const H: usize,
    const A: usize,
    const M: usize,
>(
    simd: S,
    map: &mut Map<'_>,
    oy: usize,
    to: To,
    y: &mut [f32],
) -> Option<()> {
    let (from, layout) = (map.from, map.layout);
    let (sizes, one) = (from.sizes, layout.row);
    let ([_, width, k], depth) = (sizes.y, sizes.x[2]);
    let (v, m) = map.work.split_at_mut_checked(A * one)?;
    // Counted from the padding above; what is not there is zero.
    for row in map.laid.max(oy)..oy + A {
        let slot = row % A * one;
        let to = map.ring.get_mut(slot..slot + one)?;
        match row.checked_sub(sizes.before[0]) {
            Some(row) if row < sizes.x[0] => lay(sizes, layout.plane, map.x, row, to)?,
            _ => to.fill(0.0),
        }
    }
    map.laid = oy + A;
    input::<S, V, H, A>(simd, map.ring, oy, one, v)?;
    let tiles: [Tile<S>; FILTERS] = [
        tile::<S, V, 1, F, H, A, M>,
        tile::<S, V, 2, F, H, A, M>,
        tile::<S, V, 3, F, H, A, M>,
        tile::<S, V, 4, F, H, A, M>,
        tile::<S, V, 5, F, H, A, M>,
        tile::<S, V, 6, F, H, A, M>,
    ];
    for block in even(k, FILTERS) {
        let operands = Operands {
            layout: &layout,
            v,
            depth,
            weights: from.packed.get(block.start * A * F * depth..)?,
            bias: from.bias.get(block.clone())?,
            clamp: from.clamp.bounds(),
            first: block.start,
            k,
            oy,
            to,
            width,
        };
        let tile = tiles.get(block.len() - 1)?;
        // The last vectors end at the last pixel, and may compute some a second time, whole, and so the
        // same; those that are pooled are neighbours.
        let (end, apart) = match to {
            To::Pool(_) => (width & !1, V::LEN),
            _ => (width, 0),
        };
        let last = end.checked_sub(V::LEN)?;
        for at in (0..end).step_by(2 * V::LEN) {
            let first = at.min(last.checked_sub(apart)?);
            tile(simd, &operands, [first, (first + V::LEN).min(last)], m, y)?;
        }
    }
    Some(())
}

/// Bᵀ x: A rows of the ring, from row `first` on.
#[inline(always)]
fn input<S: Simd, V: Lanes<S>, const H: usize, const A: usize>(
    simd: S,
    ring: &[f32],
    first: usize,
    row: usize,
    v: &mut [f32],
) -> Option<()> {
    let mut from = [&[][..]; A];
    for n in 0..A {
        let slot = (first + n) % A * row;
        from[n] = ring.get(slot..slot + row)?;
    }
    let mut to = [(); A].map(|()| &mut [][..]);
    for (to, v) in to.iter_mut().zip(v.chunks_exact_mut(row)) {
        *to = v;
    }
    if !row.is_multiple_of(V::LEN) {
        return None;
    }
    for at in (0..row).step_by(V::LEN) {
        let mut x = [V::splat(simd, 0.0); A];
        for n in 0..A {
            // SAFETY: at + LEN <= row = from[n].len().
            x[n] = unsafe { V::load_unchecked(simd, from[n], at) };
        }
        let x = values::<S, V, H, A>(simd, x);
        for n in 0..A {
            x[n].store(to[n], at);
        }
    }
    Some(())
}

/// What the tiles of a block of filters share.
struct Operands<'a> {
    layout: &'a Layout,
    v: &'a [f32],
    depth: usize,
    weights: &'a [f32],
    bias: &'a [f32],
    clamp: Option<[f32; 2]>,
    /// The first filter of the block, and how many there are in all.
    first: usize,
    k: usize,
    /// The first row of y.
    oy: usize,
    to: To,
    /// Columns of the convolution.
    width: usize,
}

type Tile<S> = fn(S, &Operands<'_>, [usize; 2], &mut [f32], &mut [f32]) -> Option<()>;

/// Two vectors of pixels, at `at`, by K filters.
fn tile<
    S: Simd,
    V: Lanes<S>,
    const K: usize,
    const F: usize,
    const H: usize,
    const A: usize,
    const M: usize,
>(
    simd: S,
    from: &Operands,
    at: [usize; 2],
    m: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    products::<S, V, K, F, A>(simd, from, at, m)?;
    outputs::<S, V, K, H, A, M>(simd, from, at, m, y)
}

/// `m[point][filter][vector]`
fn products<S: Simd, V: Lanes<S>, const K: usize, const F: usize, const A: usize>(
    simd: S,
    from: &Operands,
    at: [usize; 2],
    m: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let (depth, &Layout { plane, row, .. }) = (from.depth, from.layout);
            let (weights, _) = from.weights.as_chunks::<K>();
            for point in 0..A {
                let x = from.v.get(point * row..(point + 1) * row)?;
                let weights = weights.get(point * depth * F..(point + 1) * depth * F)?;
                let m = m.get_mut(point * K * 2 * V::LEN..(point + 1) * K * 2 * V::LEN)?;
                let zero = [[V::splat(simd, 0.0); 2]; K];
                let sums = add_products(simd, x, weights, [depth, F, plane], at, zero)?;
                for k in 0..K {
                    for p in 0..2 {
                        sums[k][p].store(m, (2 * k + p) * V::LEN);
                    }
                }
            }
            Some(())
        },
    )
}

/// Aᵀ m, with bias and clamp.
fn outputs<S: Simd, V: Lanes<S>, const K: usize, const H: usize, const A: usize, const M: usize>(
    simd: S,
    from: &Operands,
    at: [usize; 2],
    m: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let (m, planes) = m.split_at_mut_checked(A * K * 2 * V::LEN)?;
            // What goes to y by columns: row by row, vector by vector.
            let planes = planes.get_mut(..M * 2 * K * V::LEN)?;
            let zero = V::splat(simd, 0.0);
            for k in 0..K {
                let bias = V::splat(simd, *from.bias.get(k)?);
                let mut rows = [[zero; M]; 2];
                for p in 0..2 {
                    let mut products = [zero; A];
                    for point in 0..A {
                        products[point] = V::load(simd, m, ((point * K + k) * 2 + p) * V::LEN)?;
                    }
                    rows[p] = sums::<S, V, H, A, M>(simd, products);
                }
                if let To::Pool(_) = from.to {
                    for r in 0..M / 2 {
                        let mut best = [zero; 2];
                        for p in 0..2 {
                            best[p] = rows[p][2 * r].largest(rows[p][2 * r + 1]);
                        }
                        let [left, right] = best[0].unzip(best[1]);
                        let best = left.largest(right).add(bias).clamp(simd, from.clamp);
                        best.store(planes, (r * 2 * K + k) * V::LEN);
                    }
                    continue;
                }
                for r in 0..M {
                    let plane =
                        from.layout.slot(from.oy + r) + (from.first + k) * from.layout.y_plane;
                    for p in 0..2 {
                        let row = rows[p][r].add(bias).clamp(simd, from.clamp);
                        match from.to {
                            To::Ring => row.store(y, plane + at[p]),
                            _ => row.store(planes, ((r * 2 + p) * K + k) * V::LEN),
                        }
                    }
                }
            }
            let (width, rows, vectors, at) = match from.to {
                To::Ring => return Some(()),
                To::Map => (from.width, M, 2, at),
                To::Pool(width) => (width, M / 2, 1, [at[0] / 2; 2]),
            };
            let rows = rows.min(y.len() / (width * from.k));
            for r in 0..rows {
                for p in 0..vectors {
                    let at = (r * width + at[p]) * from.k + from.first;
                    let planes = planes.get((r * 2 + p) * K * V::LEN..)?;
                    let planes = planes.get(..K * V::LEN)?;
                    for lane in 0..V::LEN {
                        let column = y.get_mut(at + lane * from.k..)?.first_chunk_mut::<K>()?;
                        for k in 0..K {
                            column[k] = planes[k * V::LEN + lane];
                        }
                    }
                }
            }
            Some(())
        },
    )
}
