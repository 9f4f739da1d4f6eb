//! Convolution over filters as they are declared, `[fy][fx][d][k]`: the sum over taps and depths,
//! as [register tiles](super::tile).
//!
//! Pixels whose windows hang over the border in the same way form a rectangle, and any P of them
//! make a tile: nothing is tested inside. A few filters take [another](narrow), and so do several
//! [groups](grouped).

pub(crate) mod filter_grad;
mod grouped;
pub(crate) mod input_grad;
mod narrow;
pub(crate) mod panels;
pub(crate) mod scalar;

use core::ops::Range;

use fearless_simd::Simd;

use super::tile::{self, Start, Taps};
use crate::kernel::Sizes;
use crate::kernel::cache::{L2, scalars};
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;
use crate::kernel::simd::registers::groups;
use crate::kernel::window::{Run, Walk};

/// What is read.
pub(crate) struct Operands<'a> {
    pub(crate) sizes: &'a Sizes,
    pub(crate) x: &'a [f32],
    pub(crate) filters: &'a [f32],
    pub(crate) bias: &'a [f32],
}

#[inline(never)]
pub(crate) fn forward(from: &Operands, y: &mut [f32]) -> Option<()> {
    if from.sizes.groups > 1 {
        return grouped::forward(from, y);
    }
    forward_in_blocks(from, scalars::<f32>(L2 / 2), y).or_else(|| scalar::conv(from, y))
}

/// As [`forward`], in blocks of so many scalars of filters, of eight rows of them at least: all pixels are
/// summed over one block before the next is looked at.
#[inline(always)]
pub(crate) fn forward_in_blocks(from: &Operands, block: usize, y: &mut [f32]) -> Option<()> {
    dispatch!(simd => blocks(simd, from, block, y))
}

#[inline(always)]
fn blocks<S: Simd>(simd: S, from: &Operands, block: usize, y: &mut [f32]) -> Option<()> {
    let ([_, _, depth], [_, _, k], [fh, fw]) = (from.sizes.x, from.sizes.y, from.sizes.filter);
    if narrow::fits(simd, from) {
        return narrow::sweep::<S, S::f32s>(simd, from, y);
    }
    let row = fw * depth;
    let rows = (block / k).max(8);
    let fys = (rows / row).max(1);
    for fy in (0..fh).step_by(fys) {
        for i in (0..row).step_by(rows) {
            let first = fy == 0 && i == 0;
            let block = Block {
                fy: fy..(fy + fys).min(fh),
                i: i..(i + rows).min(row),
                first,
            };
            widest!(simd: S, k, all_filters(from, &block, y))?;
        }
    }
    Some(())
}

/// Some rows of all filters.
struct Block {
    fy: Range<usize>,
    /// Of fx and d together.
    i: Range<usize>,
    /// Whether the sums start from the bias, or from what the blocks before left in `y`.
    first: bool,
}

/// All filters, a few vectors of them at a time.
///
/// The last vector ends at the last filter, and may compute some of the one before a second time.
/// **Invariant:** it is in one tile with that one. A tile reads all that it starts from before it writes; in a
/// tile of its own the last vector would start from what the one before has written, and from the second block
/// on add the block to some sums twice.
#[inline(always)]
fn all_filters<S: Simd, V: Lanes<S>>(
    simd: S,
    from: &Operands,
    block: &Block,
    y: &mut [f32],
) -> Option<()> {
    let (k, len, most) = (from.sizes.y[2], V::LEN, const { tile::vectors::<S>() });
    let all = k.div_ceil(len);
    // Two that overlap are a tile of their own: they are not as far apart as others.
    let overlap = if k.is_multiple_of(len) { 0 } else { 2 };
    let last = (overlap > 0).then_some((all.checked_sub(overlap)?, overlap));
    for (first, count) in groups(all - overlap, most).chain(last) {
        let at = |n: usize| ((first + n) * len).min(k - len);
        match count {
            1 => sweep::<S, V, 1>(simd, from, block, [at(0)], y)?,
            2 => sweep::<S, V, 2>(simd, from, block, [at(0), at(1)], y)?,
            _ if const { tile::vectors::<S>() == 4 } => {
                let ks = [at(0), at(1), at(2), at(3)];
                sweep::<S, V, 4>(simd, from, block, ks, y)?;
            }
            _ => return None,
        }
    }
    Some(())
}

/// All pixels for the vectors of filters at `ks`, each as far from the next.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    from: &Operands,
    block: &Block,
    ks: [usize; N],
    y: &mut [f32],
) -> Option<()> {
    for rows in from.sizes.axis::<0>().runs() {
        for columns in from.sizes.axis::<1>().runs() {
            let (taps, first) = taps(from, block, [&rows.taps, &columns.taps], ks);
            if taps.rows == 0 && !block.first {
                continue;
            }
            let mut walk = walk(from.sizes, [&rows, &columns], first);
            let pixels = rows.places.len() * columns.places.len();
            tile::sweep::<S, V, N>(simd, &taps, &mut walk, pixels, y)?;
        }
    }
    Some(())
}

/// From the first scalars of `x` that are read, to the outputs; `first` is the first tap: its row,
/// and its place in the row.
pub(crate) fn walk(sizes: &Sizes, [rows, columns]: [&Run; 2], first: [usize; 2]) -> Walk {
    let ([_, width, depth], [_, wo, k]) = (sizes.x, sizes.y);
    let ([sy, sx], [py, px]) = (sizes.stride, sizes.before);
    let [oy, ox] = [rows.places.start, columns.places.start];
    // Wraps on the way if the window starts on the padding, and if nothing is read.
    let row = (oy * sy + first[0]).wrapping_sub(py);
    let pixel = row
        .wrapping_mul(width)
        .wrapping_add(ox * sx)
        .wrapping_sub(px);
    Walk::new(
        columns.places.len(),
        [
            pixel.wrapping_mul(depth).wrapping_add(first[1]),
            (oy * wo + ox) * k,
        ],
        [sx * depth, k],
        [sy * width * depth, wo * k],
    )
}

/// The taps of a block that meet the input, and the first of them.
#[inline(always)]
fn taps<'a, const N: usize>(
    from: &Operands<'a>,
    block: &Block,
    [rows, columns]: [&Range<usize>; 2],
    ks: [usize; N],
) -> (Taps<'a, N>, [usize; 2]) {
    let ([_, width, depth], [_, _, k]) = (from.sizes.x, from.sizes.y);
    let pitch = from.sizes.filter[1] * depth;
    let fy = rows.start.max(block.fy.start)..rows.end.min(block.fy.end);
    let i = (columns.start * depth).max(block.i.start)..(columns.end * depth).min(block.i.end);
    let taps = Taps {
        x: from.x,
        weights: from
            .filters
            .get((fy.start * pitch + i.start) * k + ks[0]..)
            .unwrap_or_default(),
        start: match block.first {
            true => Start::Bias(from.bias),
            false => Start::Sums,
        },
        clamp: None,
        rows: if i.is_empty() { 0 } else { fy.len() },
        row: i.len(),
        x_pitch: width * depth,
        weight_pitch: pitch * k,
        weight_step: k,
        apart: if N > 1 { ks[1] - ks[0] } else { 0 },
        to: ks,
    };
    (taps, [fy.start, i.start])
}
