//! Convolution with few filters, row by row: vectors run along a row instead of over the filters;
//! and where a max pool follows, its rows are taken from those that have just been computed.
//!
//! ```text
//!   x [H][W][D]                 a ring of FH rows, one plane a depth,      a ring of rows of y,
//!   ┌────────────┐   lay out    zero border included                       one plane a filter
//!   │rgb rgb rgb │ ──────────▶  00 rrrrrrrr 00                              ┌──────────┐   max
//!   └────────────┘              00 gggggggg 00  ──▶ X vectors × F filters ─▶│ k=0 ………  │ ─────▶ y
//!                               00 bbbbbbbb 00                              └──────────┘
//! ```
//!
//! With K = 12, two vectors of 8 filters would be three quarters full; a row of 32 pixels fills four.
//! What lies between the convolution and the pool never leaves the first-level cache.
//!
//! M rows at a time: one for the direct sum, four for [Winograd's](winograd).

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

mod planes;
mod winograd;

use fearless_simd::Simd;

use self::planes::{interleave, largest, lay};
use self::winograd::To;
use super::winograd::transform::{LONGEST, filter_rows};
use crate::kernel::cache::{self, scalars};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::even;
use crate::kernel::{Packed, Scale, Sizes};

/// Scalars to a cache line.
const LINE: usize = scalars::<f32>(cache::LINE);
/// F at most: with two vectors of pixels, twelve sums.
pub(crate) const FILTERS: usize = 6;
/// A row that is worth a vector.
pub(crate) const SHORTEST: usize = 8;
/// FH at most.
pub(crate) const HEIGHT: usize = 11;
/// Rows that a pool looks at, at most.
pub(crate) const POOLED: usize = 3;

/// Rows of the input that `band` rows of the output see, and rows of packed filters: FH if M is 1.
pub(crate) const fn reach(sizes: &Sizes, band: usize) -> usize {
    sizes.filter[0] + band - 1
}

/// Scalars of the packed filters, in whole lines.
pub(crate) const fn packed(sizes: &Sizes, band: usize) -> usize {
    let taps = reach(sizes, band) * sizes.filter[1] * sizes.x[2];
    (taps * sizes.y[2]).next_multiple_of(LINE)
}

/// `[block of filters][fy][d][fx][filter]`; of Winograd's, the rows of G g take the place of those of g.
pub(crate) fn pack(
    sizes: &Sizes,
    band: usize,
    filters: &[f32],
    scale: Scale<'_>,
    packed: &mut [f32],
) {
    let ([fh, fw], depth, k) = (sizes.filter, sizes.x[2], sizes.y[2]);
    let (reach, columns) = (reach(sizes, band), fw * depth * k);
    let g = filter_rows((reach / 2).saturating_sub(1).min(3), fh.min(LONGEST));
    let mut to = packed.iter_mut();
    for block in even(k, FILTERS) {
        for row in 0..reach {
            for (d, fx) in (0..depth).flat_map(|d| (0..fw).map(move |fx| (d, fx))) {
                for (k_at, to) in block.clone().zip(&mut to) {
                    let (at, scale) = ((fx * depth + d) * k + k_at, scale.of(k_at));
                    if band == 1 {
                        *to = filters[row * columns + at] * scale;
                        continue;
                    }
                    let taps = filters[at..].iter().step_by(columns);
                    let sum: f64 = taps.zip(g[row]).map(|(tap, g)| f64::from(*tap) * g).sum();
                    #[expect(clippy::cast_possible_truncation, reason = "rounded once")]
                    let rounded = (sum * f64::from(scale)) as f32;
                    *to = rounded;
                }
            }
        }
    }
}

/// Where things lie in the scratch, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// Rows of y that are computed at a time.
    pub(crate) band: usize,
    /// From one plane of a laid out row to the next, and from one row to the next.
    pub(crate) plane: usize,
    pub(crate) row: usize,
    /// The same of the rows of y, and how many there are of those.
    pub(crate) y_plane: usize,
    pub(crate) y_row: usize,
    pub(crate) y_rows: usize,
    /// Where the ring of laid out rows ends, and what [`winograd`] works in.
    ring: usize,
    work: usize,
    /// Where the rows of y end; then come the largest of each column of one plane.
    end: usize,
}

/// Scalars of a plane of a laid out row.
const fn plane(sizes: &Sizes) -> usize {
    (sizes.y[1] + sizes.filter[1] - 1).next_multiple_of(LINE)
}

/// Scalars of a laid out row.
pub(crate) const fn laid(sizes: &Sizes) -> usize {
    plane(sizes) * sizes.x[2]
}

const fn layout(sizes: &Sizes, band: usize, pooled: usize) -> Layout {
    let [_, width, k] = sizes.y;
    let (plane, row) = (plane(sizes), laid(sizes));
    let y_plane = width.next_multiple_of(LINE);
    let y_rows = pooled + band - 1;
    let ring = row * reach(sizes, band);
    // One tile's products, and what they become.
    let products = (reach(sizes, band) + band) * FILTERS * 2 * LINE;
    let work = ring + if band > 1 { ring + products } else { 0 };
    Layout {
        band,
        plane,
        row,
        y_plane,
        y_row: y_plane * k,
        y_rows,
        ring,
        work,
        end: work + y_plane * k * y_rows,
    }
}

/// Scalars to work in, where the pool after it looks at `pooled` rows; 1 if there is none.
pub(crate) const fn scratch(sizes: &Sizes, band: usize, pooled: usize) -> usize {
    let layout = layout(sizes, band, pooled);
    layout.end + layout.y_plane
}

#[inline(never)]
pub(crate) fn forward(
    from: &Packed<'_, f32>,
    pool: Option<&Sizes>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    dispatch!(simd => rows(simd, from, pool, x, scratch, y))
}

/// Lays out, convolves and pools, each band of rows as soon as it is needed.
#[inline(always)]
fn rows<S: Simd>(
    simd: S,
    from: &Packed<'_, f32>,
    pool: Option<&Sizes>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let (sizes, band) = (from.sizes, from.algorithm.band());
    let ([_, width, k], pooled) = (sizes.y, pool.map_or(1, |pool| pool.filter[0]));
    let layout = layout(sizes, band, pooled);
    let scratch = scratch.get_mut(..self::scratch(sizes, band, pooled))?;
    let (ring, rest) = scratch.split_at_mut(layout.ring);
    let (work, rest) = rest.split_at_mut(layout.work - layout.ring);
    let (computed, column) = rest.split_at_mut(layout.end - layout.work);
    ring.fill(0.0);
    let mut map = Map {
        from,
        layout,
        x,
        ring,
        laid: 0,
        next: 0,
        work,
    };
    // Where a band goes, if nothing is to keep its rows.
    let to = match pool {
        None => Some((band, width, To::Map)),
        Some(pool) => winograd::pools::<S, S::f32s>(pool).then_some((
            band / 2,
            pool.y[1],
            To::Pool(pool.y[1]),
        )),
    };
    if let (2.., Some((rows, width, to))) = (band, to) {
        for (i, y) in y.chunks_mut(rows * width * k).enumerate() {
            map.winograd::<S, S::f32s>(simd, i * band, to, y)?;
        }
        return Some(());
    }
    let Some(pool) = pool else {
        for (oy, y) in y.chunks_exact_mut(width * k).enumerate() {
            map.row::<S, S::f32s>(simd, oy, computed)?;
            interleave(computed, layout.y_plane, y, k);
        }
        return Some(());
    };
    let mut done = 0;
    for (oy, y) in y.chunks_exact_mut(pool.y[1] * k).enumerate() {
        let taps = pool.axis::<0>().taps(oy);
        let first = (oy * pool.stride[0] + taps.start).saturating_sub(pool.before[0]);
        let last = first + taps.len();
        while done < last {
            // Rows that no window sees are skipped.
            if done + band > first {
                if band > 1 {
                    map.winograd::<S, S::f32s>(simd, done, To::Ring, computed)?;
                } else {
                    let row = computed.get_mut(layout.slot(done)..)?;
                    map.row::<S, S::f32s>(simd, done, row)?;
                }
            }
            done += band;
        }
        let mut slots = [0; POOLED];
        let seen = slots.get_mut(..taps.len())?;
        for (slot, row) in seen.iter_mut().zip(first..last) {
            *slot = layout.slot(row);
        }
        for k_at in 0..k {
            let planes = seen.iter().map(|slot| slot + k_at * layout.y_plane);
            let y = y.get_mut(k_at..)?;
            largest::<S, S::f32s>(simd, pool, computed, planes, column, y)?;
        }
    }
    Some(())
}

impl Layout {
    /// Where row `oy` of y begins in the ring of those.
    pub(crate) fn slot(&self, oy: usize) -> usize {
        oy % self.y_rows * self.y_row
    }
}

/// The convolution, whose rows are asked for from the first to the last.
pub(crate) struct Map<'a> {
    pub(crate) from: &'a Packed<'a, f32>,
    pub(crate) layout: Layout,
    pub(crate) x: &'a [f32],
    /// The last rows of `x` that were laid out, how many were, and where the next one goes.
    pub(crate) ring: &'a mut [f32],
    pub(crate) laid: usize,
    next: usize,
    /// What [`winograd`] works in.
    pub(crate) work: &'a mut [f32],
}

impl Map<'_> {
    /// The band whose first row is `oy`, by Winograd's algorithm.
    #[inline(always)]
    fn winograd<S: Simd, V: Lanes<S>>(
        &mut self,
        simd: S,
        oy: usize,
        to: To,
        y: &mut [f32],
    ) -> Option<()> {
        match (self.layout.band, self.from.sizes.filter) {
            (4, [3, 3]) => winograd::band::<S, V, 3, 2, 6, 4>(simd, self, oy, to, y),
            (4, [5, 5]) => winograd::band::<S, V, 5, 3, 8, 4>(simd, self, oy, to, y),
            _ => None,
        }
    }

    /// Row `oy`, plane by plane. (No closure: that would not be compiled for this instruction set.)
    #[inline(always)]
    fn row<S: Simd, V: Lanes<S>>(&mut self, simd: S, oy: usize, y: &mut [f32]) -> Option<()> {
        let (sizes, layout) = (self.from.sizes, self.layout);
        let vertical = sizes.axis::<0>();
        let taps = vertical.taps(oy);
        let (one, end) = (layout.row, layout.row * sizes.filter[0]);
        let after = |slot: usize| if slot + one < end { slot + one } else { 0 };
        let seen = (oy * vertical.stride + taps.end).saturating_sub(vertical.before);
        while !taps.is_empty() && self.laid < seen {
            let to = self.ring.get_mut(self.next..self.next + one)?;
            lay(sizes, layout.plane, self.x, self.laid, to)?;
            (self.laid, self.next) = (self.laid + 1, after(self.next));
        }
        // The last tap's row is the last that was laid out.
        let back = taps.len() * one;
        let mut slot = match self.next.checked_sub(back) {
            Some(slot) => slot,
            None => self.next + end - back,
        };
        let mut slots = [0; HEIGHT];
        for fy in taps.clone() {
            (slots[fy], slot) = (slot, after(slot));
        }
        let rows = Rows {
            ring: self.ring,
            slots: slots.get(taps.clone())?,
            first: taps.start,
        };
        row::<S, V>(simd, self.from, &layout, &rows, y)
    }
}

/// The rows of `x` that one row of `y` sees.
struct Rows<'a> {
    ring: &'a [f32],
    /// Where each begins.
    slots: &'a [usize],
    /// The tap that the first of them meets.
    first: usize,
}

/// One row of `y`, plane by plane.
#[inline(always)]
fn row<S: Simd, V: Lanes<S>>(
    simd: S,
    from: &Packed<'_, f32>,
    layout: &Layout,
    rows: &Rows,
    y: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let ([_, width, k], [fh, fw], depth) = (sizes.y, sizes.filter, sizes.x[2]);
    // Called through a table, so that each tile is a function with the registers to itself.
    let tiles: [[Tile<S>; FILTERS]; 2] = [tiles::<S, V, 1>(), tiles::<S, V, 2>()];
    let last = width.checked_sub(V::LEN)?;
    for block in even(k, FILTERS) {
        let tap = block.len() * depth * fw;
        let weights = from
            .packed
            .get(block.start * fh * fw * depth + rows.first * tap..)?;
        let operands = Operands {
            rows,
            weights: weights.get(..rows.slots.len() * tap)?,
            bias: from.bias.get(block.clone())?,
            clamp: from.clamp.bounds(),
            depth,
            fw,
            plane: layout.plane,
            y_plane: layout.y_plane,
        };
        let y = y.get_mut(block.start * layout.y_plane..)?;
        for at in (0..width).step_by(2 * V::LEN) {
            // The last vectors end at the last pixel, and may compute some a second time: from the bias
            // on, whole, and so the same.
            let both = [at.min(last), (at + V::LEN).min(last)];
            let vectors = usize::from(both[1] > both[0]);
            tiles.get(vectors)?.get(block.len() - 1)?(simd, &operands, both, y)?;
        }
    }
    Some(())
}

/// What the tiles of a row share.
struct Operands<'a> {
    rows: &'a Rows<'a>,
    weights: &'a [f32],
    bias: &'a [f32],
    clamp: Option<[f32; 2]>,
    depth: usize,
    fw: usize,
    plane: usize,
    y_plane: usize,
}

type Tile<S> = fn(S, &Operands<'_>, [usize; 2], &mut [f32]) -> Option<()>;

fn tiles<S: Simd, V: Lanes<S>, const X: usize>() -> [Tile<S>; FILTERS] {
    [
        tile::<S, V, X, 1>,
        tile::<S, V, X, 2>,
        tile::<S, V, X, 3>,
        tile::<S, V, X, 4>,
        tile::<S, V, X, 5>,
        tile::<S, V, X, 6>,
    ]
}

/// X vectors of pixels, from `at` on, by F filters.
fn tile<S: Simd, V: Lanes<S>, const X: usize, const F: usize>(
    simd: S,
    from: &Operands,
    at: [usize; 2],
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let &Operands {
                depth, fw, plane, ..
            } = from;
            let at: [usize; X] = *at.first_chunk()?;
            let mut sums = [[V::splat(simd, 0.0); X]; F];
            for f in 0..F {
                sums[f] = [V::splat(simd, *from.bias.get(f)?); X];
            }
            let (weights, _) = from.weights.as_chunks::<F>();
            let row = depth * fw;
            if weights.len() != from.rows.slots.len() * row {
                return None;
            }
            for (weights, &slot) in weights.chunks_exact(row).zip(from.rows.slots) {
                let x = from.rows.ring.get(slot..slot + depth * plane)?;
                sums = add_products(simd, x, weights, [depth, fw, plane], at, sums)?;
            }
            for f in 0..F {
                for p in 0..X {
                    let sum = sums[f][p].clamp(simd, from.clamp);
                    sum.store(y, f * from.y_plane + at[p]);
                }
            }
            Some(())
        },
    )
}

/// Adds the products of `weights[d][fx]`, F filters each, and X vectors of pixels, from `at` on, of a row
/// laid out in `depth` planes.
#[inline(always)]
pub(crate) fn add_products<S: Simd, V: Lanes<S>, const X: usize, const F: usize>(
    simd: S,
    x: &[f32],
    weights: &[[f32; F]],
    [depth, fw, plane]: [usize; 3],
    at: [usize; X],
    mut sums: [[V; X]; F],
) -> Option<[[V; X]; F]> {
    let fit = depth.checked_mul(plane) == Some(x.len()) && weights.len() == depth * fw;
    if !fit || at[X - 1] + fw - 1 + V::LEN > plane || at[0] > at[X - 1] {
        return None;
    }
    for d in 0..depth {
        for fx in 0..fw {
            // SAFETY: d · fw + fx < depth · fw = weights.len().
            let weights = unsafe { weights.get_unchecked(d * fw + fx) };
            let mut pixels = [V::splat(simd, 0.0); X];
            for p in 0..X {
                let at = d * plane + at[p] + fx;
                // SAFETY: at + LEN <= (d + 1) · plane <= depth · plane = x.len(), because fx < fw,
                // at[p] <= at[X − 1] and at[X − 1] + fw − 1 + LEN <= plane.
                pixels[p] = unsafe { V::load_unchecked(simd, x, at) };
            }
            for f in 0..F {
                let weight = V::splat(simd, weights[f]);
                for p in 0..X {
                    sums[f][p] = weight.mul_add(pixels[p], sums[f][p]);
                }
            }
        }
    }
    Some(sums)
}
