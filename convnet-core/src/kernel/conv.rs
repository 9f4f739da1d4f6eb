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
//! Pixels whose windows hang over the border in the same way form a rectangle, and any P of them
//! make a tile: nothing is tested inside. Six pixels by two vectors leave four of AVX2's sixteen
//! registers for the factors, and twelve sums hide the latency of the multiply-adds.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use core::array;
use core::ops::Range;

use fearless_simd::Simd;

use super::Sizes;
use super::lanes::{Lanes, widest};
use super::level::dispatch;
use super::scalar;
use super::window::{Run, Walk, extent, groups};

/// P at most.
const PIXELS: usize = 6;

/// Scalars of filters that are summed over for all pixels before the next are looked at: a quarter
/// of a megabyte, half of an ordinary second-level cache.
const BLOCK: usize = 1 << 16;

/// What is read.
pub(super) struct Operands<'a> {
    pub(super) sizes: &'a Sizes,
    pub(super) x: &'a [f32],
    pub(super) filters: &'a [f32],
    pub(super) bias: &'a [f32],
}

#[inline(never)]
pub(super) fn forward(from: &Operands, y: &mut [f32]) -> Option<()> {
    dispatch!(simd => blocks(simd, from, y)).or_else(|| scalar::conv(from, y))
}

#[inline(always)]
fn blocks<S: Simd>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    let ([_, _, depth], [_, _, k], [fh, fw]) = (from.sizes.x, from.sizes.y, from.sizes.filter);
    let row = fw * depth;
    let rows = (BLOCK / k).max(8);
    let fys = (rows / row).max(1);
    for fy in (0..fh).step_by(fys) {
        for i in (0..row).step_by(rows) {
            let first = fy == 0 && i == 0;
            let block = Block {
                fy: fy..(fy + fys).min(fh),
                i: i..(i + rows).min(row),
                first,
            };
            widest!(simd: S, k, strips(from, &block, y))?;
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

/// All filters, two vectors of them at a time. The last vector ends at the last filter, and may
/// compute some a second time.
#[inline(always)]
fn strips<S: Simd, V: Lanes<S>>(
    simd: S,
    from: &Operands,
    block: &Block,
    y: &mut [f32],
) -> Option<()> {
    let (k, len) = (from.sizes.y[2], V::LEN);
    for at in (0..k).step_by(2 * len) {
        if k - at > len {
            let ks = [at, (at + len).min(k - len)];
            sweep::<S, V, 2>(simd, from, block, ks, y)?;
        } else {
            sweep::<S, V, 1>(simd, from, block, [k - len], y)?;
        }
    }
    Some(())
}

/// All pixels for the filters at `ks`.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    from: &Operands,
    block: &Block,
    ks: [usize; N],
    y: &mut [f32],
) -> Option<()> {
    // Called through a table, so that each tile is a function with the registers to itself.
    let tiles: [Tile<S, N>; PIXELS] = [
        tile::<S, V, 1, N>,
        tile::<S, V, 2, N>,
        tile::<S, V, 3, N>,
        tile::<S, V, 4, N>,
        tile::<S, V, 5, N>,
        tile::<S, V, 6, N>,
    ];
    for rows in from.sizes.axis(0).runs() {
        for columns in from.sizes.axis(1).runs() {
            let taps = Taps::new(from, block, [&rows.taps, &columns.taps], ks);
            if taps.rows == 0 && !block.first {
                continue;
            }
            let mut walk = walk(from.sizes, [&rows, &columns], &taps);
            for size in groups(rows.places.len() * columns.places.len(), PIXELS) {
                tiles.get(size - 1)?(simd, &taps, &mut walk, y)?;
            }
        }
    }
    Some(())
}

/// From the first scalars of `x` that are read, to the outputs.
fn walk<const N: usize>(sizes: &Sizes, [rows, columns]: [&Run; 2], taps: &Taps<'_, N>) -> Walk {
    let ([_, width, depth], [_, wo, k]) = (sizes.x, sizes.y);
    let ([sy, sx], [py, px]) = (sizes.stride, sizes.before);
    let [oy, ox] = [rows.places.start, columns.places.start];
    // Wraps on the way if the window starts on the padding, and if nothing is read.
    let row = (oy * sy + taps.fy).wrapping_sub(py);
    let pixel = row
        .wrapping_mul(width)
        .wrapping_add(ox * sx)
        .wrapping_sub(px);
    Walk::new(
        columns.places.len(),
        [
            pixel.wrapping_mul(depth).wrapping_add(taps.i),
            (oy * wo + ox) * k,
        ],
        [sx * depth, k],
        [sy * width * depth, wo * k],
    )
}

/// What the tiles of one rectangle share: the taps of a block that meet the input.
struct Taps<'a, const N: usize> {
    x: &'a [f32],
    /// From the first tap on.
    filters: &'a [f32],
    bias: Option<&'a [f32]>,
    /// The first tap.
    fy: usize,
    i: usize,
    /// How many there are of each.
    rows: usize,
    row: usize,
    x_pitch: usize,
    filter_pitch: usize,
    k: usize,
    ks: [usize; N],
}

impl<'a, const N: usize> Taps<'a, N> {
    #[inline(always)]
    fn new(
        from: &Operands<'a>,
        block: &Block,
        [rows, columns]: [&Range<usize>; 2],
        ks: [usize; N],
    ) -> Self {
        let ([_, width, depth], [_, _, k]) = (from.sizes.x, from.sizes.y);
        let pitch = from.sizes.filter[1] * depth;
        let fy = rows.start.max(block.fy.start)..rows.end.min(block.fy.end);
        let i = (columns.start * depth).max(block.i.start)..(columns.end * depth).min(block.i.end);
        Self {
            x: from.x,
            filters: from
                .filters
                .get((fy.start * pitch + i.start) * k..)
                .unwrap_or_default(),
            bias: block.first.then_some(from.bias),
            fy: fy.start,
            i: i.start,
            rows: if i.is_empty() { 0 } else { fy.len() },
            row: i.len(),
            x_pitch: width * depth,
            filter_pitch: pitch * k,
            k,
            ks,
        }
    }
}

type Tile<S, const N: usize> = fn(S, &Taps<'_, N>, &mut Walk, &mut [f32]) -> Option<()>;

fn tile<S: Simd, V: Lanes<S>, const P: usize, const N: usize>(
    simd: S,
    taps: &Taps<'_, N>,
    walk: &mut Walk,
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let places: [_; P] = array::from_fn(|_| walk.next());
            let mut sums = [[V::splat(simd, 0.0); N]; P];
            for p in 0..P {
                for n in 0..N {
                    sums[p][n] = match taps.bias {
                        Some(bias) => V::load(simd, bias, taps.ks[n])?,
                        None => V::load(simd, y, places[p][1] + taps.ks[n])?,
                    };
                }
            }
            if taps.rows > 0 {
                let mut xs = [0; P];
                for p in 0..P {
                    xs[p] = places[p][0];
                }
                sums = add_products(simd, taps, xs, sums)?;
            }
            for p in 0..P {
                for n in 0..N {
                    sums[p][n].store(y, places[p][1] + taps.ks[n]);
                }
            }
            Some(())
        },
    )
}

/// Adds the products of the taps and the pixels at `places` of `x`.
///
/// Unchecked inside, and loops that test at their end: with either the other way round, some tiles
/// run out of registers and fall to half of the speed.
#[inline(always)]
fn add_products<S: Simd, V: Lanes<S>, const P: usize, const N: usize>(
    simd: S,
    taps: &Taps<'_, N>,
    places: [usize; P],
    mut sums: [[V; N]; P],
) -> Option<[[V; N]; P]> {
    let &Taps {
        rows,
        row,
        x_pitch,
        filter_pitch,
        k,
        ks,
        ..
    } = taps;
    let filters = taps
        .filters
        .get(..extent(rows, filter_pitch, row.checked_mul(k)?)?)?;
    let mut xs = [&[][..]; P];
    for p in 0..P {
        xs[p] = taps
            .x
            .get(places[p]..)?
            .get(..extent(rows, x_pitch, row)?)?;
    }
    if row == 0 || ks.iter().any(|at| at + V::LEN > k) {
        return None;
    }
    let mut fy = 0;
    loop {
        let mut i = 0;
        loop {
            let mut vectors = [V::splat(simd, 0.0); N];
            for n in 0..N {
                let at = fy * filter_pitch + i * k + ks[n];
                // SAFETY: at + LEN <= (rows − 1) · filter_pitch + row · k = filters.len(), because
                // fy < rows, i < row and ks[n] + LEN <= k.
                vectors[n] = unsafe { V::load_unchecked(simd, filters, at) };
            }
            for p in 0..P {
                // SAFETY: fy · x_pitch + i < (rows − 1) · x_pitch + row = xs[p].len().
                let x = V::splat(simd, *unsafe { xs[p].get_unchecked(fy * x_pitch + i) });
                for n in 0..N {
                    sums[p][n] = x.mul_add(vectors[n], sums[p][n]);
                }
            }
            i += 1;
            if i >= row {
                break;
            }
        }
        fy += 1;
        if fy >= rows {
            break;
        }
    }
    Some(sums)
}
