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

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::lanes::Lanes;
use super::level::dispatch;
use super::window::even;
use super::{Packed, Scale, Sizes};

/// F at most: with two vectors of pixels, twelve sums.
const FILTERS: usize = 6;
/// Scalars to a cache line.
const LINE: usize = 16;
/// FH at most.
pub(super) const HEIGHT: usize = 11;
/// Rows that a pool looks at, at most.
pub(super) const POOLED: usize = 3;

/// Scalars of the packed filters, in whole lines.
pub(super) const fn packed(sizes: &Sizes) -> usize {
    let [fh, fw] = sizes.filter;
    (fh * fw * sizes.x[2] * sizes.y[2]).next_multiple_of(LINE)
}

/// `[group of filters][fy][d][fx][filter]`
pub(super) fn pack(sizes: &Sizes, filters: &[f32], scale: Scale<'_>, packed: &mut [f32]) {
    let ([fh, fw], depth, k) = (sizes.filter, sizes.x[2], sizes.y[2]);
    let mut to = packed.iter_mut();
    for group in even(k, FILTERS) {
        for fy in 0..fh {
            for (d, fx) in (0..depth).flat_map(|d| (0..fw).map(move |fx| (d, fx))) {
                let row = ((fy * fw + fx) * depth + d) * k;
                let ks = group.clone().zip(&mut to);
                ks.for_each(|(k, to)| *to = filters[row + k] * scale.of(k));
            }
        }
    }
}

/// Where things lie in the scratch.
#[derive(Clone, Copy)]
struct Layout {
    /// From one plane of a laid out row to the next, and from one row to the next.
    plane: usize,
    row: usize,
    /// The same of the rows of y.
    y_plane: usize,
    y_row: usize,
    /// Where those begin; after their end, the largest of each column of one plane.
    y: usize,
    end: usize,
}

const fn layout(sizes: &Sizes, pooled: usize) -> Layout {
    let (depth, [_, width, k]) = (sizes.x[2], sizes.y);
    let plane = (width + sizes.filter[1] - 1).next_multiple_of(LINE);
    let y_plane = width.next_multiple_of(LINE);
    let y = plane * depth * sizes.filter[0];
    Layout {
        plane,
        row: plane * depth,
        y_plane,
        y_row: y_plane * k,
        y,
        end: y + y_plane * k * pooled,
    }
}

/// Scalars to work in, where the pool after it looks at `pooled` rows; 1 if there is none.
pub(super) const fn scratch(sizes: &Sizes, pooled: usize) -> usize {
    let layout = layout(sizes, pooled);
    layout.end + layout.y_plane
}

#[inline(never)]
pub(super) fn forward(
    from: &Packed<'_, f32>,
    pool: Option<&Sizes>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    dispatch!(simd => rows(simd, from, pool, x, scratch, y))
}

/// Lays out, convolves and pools, each row as soon as it is needed.
#[inline(always)]
fn rows<S: Simd>(
    simd: S,
    from: &Packed<'_, f32>,
    pool: Option<&Sizes>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let k = sizes.y[2];
    let height = pool.map_or(1, |pool| pool.filter[0]);
    let layout = layout(sizes, height);
    let (ring, rest) = scratch
        .get_mut(..self::scratch(sizes, height))?
        .split_at_mut(layout.y);
    let (computed, column) = rest.split_at_mut(layout.end - layout.y);
    ring.fill(0.0);
    let mut map = Map {
        from,
        layout,
        x,
        ring,
        laid: 0,
        next: 0,
    };
    let Some(pool) = pool else {
        for (oy, y) in y.chunks_exact_mut(sizes.y[1] * k).enumerate() {
            map.row::<S, S::f32s>(simd, oy, computed)?;
            interleave(computed, layout.y_plane, y, k);
        }
        return Some(());
    };
    let mut done = 0;
    for (oy, y) in y.chunks_exact_mut(pool.y[1] * k).enumerate() {
        let taps = pool.axis(0).taps(oy);
        let first = (oy * pool.stride[0] + taps.start).saturating_sub(pool.before[0]);
        let last = first + taps.len();
        while done < last {
            let slot = done % pool.filter[0] * layout.y_row;
            // Rows that no window sees are skipped.
            if done >= first {
                map.row::<S, S::f32s>(simd, done, computed.get_mut(slot..)?)?;
            }
            done += 1;
        }
        let mut slots = [0; POOLED];
        let seen = slots.get_mut(..taps.len())?;
        for (slot, row) in seen.iter_mut().zip(first..last) {
            *slot = row % pool.filter[0] * layout.y_row;
        }
        for k_at in 0..k {
            let planes = seen.iter().map(|slot| slot + k_at * layout.y_plane);
            let y = y.get_mut(k_at..)?;
            largest::<S, S::f32s>(simd, pool, computed, planes, column, y)?;
        }
    }
    Some(())
}

/// The convolution, whose rows are asked for from the first to the last.
struct Map<'a> {
    from: &'a Packed<'a, f32>,
    layout: Layout,
    x: &'a [f32],
    /// The last rows of `x` that were laid out, how many were, and where the next one goes.
    ring: &'a mut [f32],
    laid: usize,
    next: usize,
}

impl Map<'_> {
    /// Row `oy`, plane by plane. (No closure: that would not be compiled for this instruction set.)
    #[inline(always)]
    fn row<S: Simd, V: Lanes<S>>(&mut self, simd: S, oy: usize, y: &mut [f32]) -> Option<()> {
        let (sizes, layout) = (self.from.sizes, self.layout);
        let vertical = sizes.axis(0);
        let taps = vertical.taps(oy);
        let (one, end) = (layout.row, layout.row * sizes.filter[0]);
        let after = |slot: usize| if slot + one < end { slot + one } else { 0 };
        let seen = (oy * vertical.stride + taps.end).saturating_sub(vertical.before);
        while !taps.is_empty() && self.laid < seen {
            let to = self.ring.get_mut(self.next..self.next + one)?;
            lay(sizes, &layout, self.x, self.laid, to)?;
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

/// From a plane a filter to a depth column a pixel.
#[inline(always)]
fn interleave(planes: &[f32], pitch: usize, y: &mut [f32], k: usize) {
    for (x, column) in y.chunks_exact_mut(k).enumerate() {
        for (y, plane) in column.iter_mut().zip(planes.chunks_exact(pitch)) {
            if let Some(value) = plane.get(x) {
                *y = *value;
            }
        }
    }
}

/// One row of `x`, plane by plane.
#[inline(always)]
fn lay(sizes: &Sizes, layout: &Layout, x: &[f32], iy: usize, to: &mut [f32]) -> Option<()> {
    let ([_, width, depth], before) = (sizes.x, sizes.before[1]);
    let row = x.get(iy * width * depth..(iy + 1) * width * depth)?;
    let seen = layout.plane.saturating_sub(before).min(width);
    match depth {
        1 => to
            .get_mut(before..before + seen)?
            .copy_from_slice(row.get(..seen)?),
        3 => split::<3>(row, seen, layout.plane, to.get_mut(before..)?),
        _ => {
            for (d, plane) in to.chunks_exact_mut(layout.plane).enumerate() {
                let plane = plane.get_mut(before..).unwrap_or_default();
                let pixels = row.get(d..)?.iter().step_by(depth);
                plane
                    .iter_mut()
                    .zip(pixels)
                    .for_each(|(to, from)| *to = *from);
            }
        }
    }
    Some(())
}

/// From a depth column a pixel to a plane a depth.
#[inline(always)]
fn split<const D: usize>(row: &[f32], seen: usize, plane: usize, to: &mut [f32]) {
    let (pixels, _) = row.as_chunks::<D>();
    for (d, to) in to.chunks_mut(plane).take(D).enumerate() {
        let pairs = to.iter_mut().zip(pixels.iter().take(seen));
        pairs.for_each(|(to, pixel)| *to = pixel[d]);
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
    for group in even(k, FILTERS) {
        let tap = group.len() * depth * fw;
        let weights = from
            .packed
            .get(group.start * fh * fw * depth + rows.first * tap..)?;
        let operands = Operands {
            rows,
            weights: weights.get(..rows.slots.len() * tap)?,
            bias: from.bias.get(group.clone())?,
            clamp: from.clamp.bounds(),
            depth,
            fw,
            plane: layout.plane,
            y_plane: layout.y_plane,
        };
        let y = y.get_mut(group.start * layout.y_plane..)?;
        for at in (0..width).step_by(2 * V::LEN) {
            // The last vectors end at the last pixel, and may compute some a second time.
            let both = [at.min(last), (at + V::LEN).min(last)];
            let vectors = usize::from(both[1] > both[0]);
            tiles.get(vectors)?.get(group.len() - 1)?(simd, &operands, both, y)?;
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
            let mut sums = [[V::splat(simd, 0.0); X]; F];
            for f in 0..F {
                sums[f] = [V::splat(simd, *from.bias.get(f)?); X];
            }
            let (weights, _) = from.weights.as_chunks::<F>();
            let (row, reach) = (depth * fw, at[X - 1] + fw - 1 + V::LEN);
            if weights.len() != from.rows.slots.len() * row || reach > plane || at[0] > at[X - 1] {
                return None;
            }
            for (weights, &slot) in weights.chunks_exact(row).zip(from.rows.slots) {
                let x = from.rows.ring.get(slot..slot + depth * plane)?;
                for d in 0..depth {
                    for fx in 0..fw {
                        // SAFETY: d · fw + fx < depth · fw = weights.len().
                        let weights = unsafe { weights.get_unchecked(d * fw + fx) };
                        let mut pixels = [V::splat(simd, 0.0); X];
                        for p in 0..X {
                            let at = d * plane + at[p] + fx;
                            // SAFETY: at + LEN <= (depth − 1) · plane + reach <= depth · plane =
                            // x.len(), because d < depth, fx < fw and at[p] <= at[X − 1].
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

/// The largest of each window of the rows at `planes`, of which `y` holds one in a depth column.
#[inline(always)]
fn largest<S: Simd, V: Lanes<S>>(
    simd: S,
    pool: &Sizes,
    rows: &[f32],
    planes: impl Iterator<Item = usize> + Clone,
    column: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let (horizontal, [_, width, k]) = (pool.axis(1), pool.y);
    let pairs = [horizontal.filter, horizontal.stride, horizontal.before] == [2, 2, 0];
    if pairs && (V::LEN..=horizontal.x / 2).contains(&width) {
        for at in (0..width).step_by(V::LEN) {
            // The last vector ends at the last window.
            let at = at.min(width - V::LEN);
            let left: V = highest(simd, rows, planes.clone(), 2 * at)?;
            let right = highest(simd, rows, planes.clone(), 2 * at + V::LEN)?;
            let [left, right] = left.unzip(right);
            right.if_greater(left, right, left).scatter(y, at * k, k);
        }
        return Some(());
    }
    for at in (0..horizontal.x).step_by(V::LEN) {
        let at = at.min(horizontal.x.checked_sub(V::LEN)?);
        let best: V = highest(simd, rows, planes.clone(), at)?;
        best.store(column, at);
    }
    for (ox, y) in y.iter_mut().step_by(k).enumerate() {
        let taps = horizontal.taps(ox);
        let first = (ox * horizontal.stride + taps.start).saturating_sub(horizontal.before);
        let window = column.get(first..first + taps.len())?;
        let most = |best: f32, &x: &f32| if x > best { x } else { best };
        *y = window.iter().fold(f32::NEG_INFINITY, most);
    }
    Some(())
}

/// The largest of the vectors at `at` of the rows.
#[inline(always)]
fn highest<S: Simd, V: Lanes<S>>(
    simd: S,
    rows: &[f32],
    planes: impl Iterator<Item = usize>,
    at: usize,
) -> Option<V> {
    let mut best = V::splat(simd, f32::NEG_INFINITY);
    for plane in planes {
        let row = V::load(simd, rows, plane + at)?;
        best = row.if_greater(best, row, best);
    }
    Some(best)
}
