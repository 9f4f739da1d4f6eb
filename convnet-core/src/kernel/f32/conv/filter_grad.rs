//! The gradient on the filters: the outer products of columns of `x` and `dy`, summed over the
//! pixels, as tiles of registers.
//!
//! ```text
//!                     dy[pixel]: K
//!                     ┌────────┬────────┐
//!                     │ k..k+L │k+L..k+2L        N vectors of L lanes
//!                     └────────┴────────┘
//!   x[pixel][i]   ──▶ ┌────────┬────────┐
//!   x[pixel][i+1] ──▶ │ sum += x · dy   │        R × N vectors that stay in registers
//!        …            └────────┴────────┘
//! ```
//!
//! i runs over the depths of one tap, for all pixels at which that tap meets the input; or, if the
//! volume is not deep, over all taps of a row together. A large map is cut into blocks of outputs
//! that stay in the second-level cache while all filters are swept. In groups, one follows the other.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

pub(crate) mod scalar;

use core::ops::Range;

use fearless_simd::Simd;

use super::narrow::narrow;
use crate::kernel::Sizes;
use crate::kernel::cache::{L2, scalars};
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::{Run, even, extent};

/// R at most.
const ROWS: usize = 6;

/// What is read.
pub(crate) struct Operands<'a> {
    pub(crate) sizes: &'a Sizes,
    pub(crate) x: &'a [f32],
    pub(crate) dy: &'a [f32],
}

#[inline(never)]
pub(crate) fn add_gradient(
    from: &Operands,
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    add_gradient_in_blocks(from, scalars::<f32>(L2 / 2), d_filters, d_bias)
        .or_else(|| scalar::add_gradient(from, d_filters, d_bias))
}

/// As [`add_gradient`], in blocks of so many scalars of `x` and `dy`; of a pixel at least.
#[inline(always)]
pub(crate) fn add_gradient_in_blocks(
    from: &Operands,
    block: usize,
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    dispatch!(simd => both(simd, from, block, d_filters, d_bias))
}

#[inline(always)]
fn both<S: Simd>(
    simd: S,
    from: &Operands,
    block: usize,
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    let [rows, columns] = places(from, block);
    for group in 0..from.sizes.groups {
        for rows in even(from.sizes.y[0], rows) {
            for columns in even(from.sizes.y[1], columns) {
                let block = [rows.clone(), columns];
                let per_group = from.sizes.y[2] / from.sizes.groups;
                if narrow(simd, per_group) {
                    let ks = ([group * per_group], 0);
                    sweep::<S, S::f32s, 1>(simd, from, group, &block, ks, d_filters)?;
                } else {
                    widest!(simd: S, per_group, all_filters(from, group, &block, d_filters))?;
                }
            }
        }
    }
    sum_rows(simd, from.dy, d_bias)
}

/// Rows and columns of the outputs of a block of so many scalars.
fn places(from: &Operands, block: usize) -> [usize; 2] {
    let Sizes { x, y, stride, .. } = from.sizes;
    let ([_, _, depth], [_, width, k], [sy, sx]) = (x, y, stride);
    let pixels = from.sizes.groups * block / (sy * sx * depth + k);
    let columns = pixels.clamp(1, *width);
    [(pixels / columns).max(1), columns]
}

/// Adds every row of `rows` to `sums`, which is as long as one.
#[inline(always)]
pub(crate) fn sum_rows<S: Simd>(simd: S, rows: &[f32], sums: &mut [f32]) -> Option<()> {
    if narrow(simd, sums.len()) {
        return sum_narrow::<S, S::f32s>(simd, rows, sums);
    }
    widest!(simd: S, sums.len(), sum_columns(rows, sums))
}

#[inline(always)]
fn sum_columns<S: Simd, V: Lanes<S>>(simd: S, rows: &[f32], sums: &mut [f32]) -> Option<()> {
    let k = sums.len();
    for at in (0..k).step_by(V::LEN) {
        let from = at.min(k - V::LEN);
        let mut sum = V::splat(simd, 0.0);
        for row in rows.chunks_exact(k) {
            sum = sum.add(V::load(simd, row, from)?);
        }
        V::load(simd, sums, from)?
            .add(sum.clear_below(at - from))
            .store(sums, from);
    }
    Some(())
}

/// Four rows at a time, to four registers; the last one alone, as nothing follows it.
#[inline(always)]
fn sum_narrow<S: Simd, V: Lanes<S>>(simd: S, rows: &[f32], sums: &mut [f32]) -> Option<()> {
    const ROWS: usize = 4;
    let k = sums.len();
    let (rows, last) = rows.split_at_checked(rows.len().checked_sub(k)?)?;
    let mut vectors = [V::splat(simd, 0.0); ROWS];
    let mut at = 0;
    while at + (ROWS - 1) * k + V::LEN <= rows.len() {
        for r in 0..ROWS {
            vectors[r] = vectors[r].add(V::load(simd, rows, at + r * k)?);
        }
        at += ROWS * k;
    }
    let [a, b, c, d] = vectors;
    let mut all = [0.0; 16];
    a.add(b).add(c.add(d)).store(&mut all, 0);
    for row in rows.get(at..)?.chunks_exact(k).chain([last]) {
        for (sum, value) in all.iter_mut().zip(row) {
            *sum += value;
        }
    }
    for (sum, value) in sums.iter_mut().zip(&all) {
        *sum += value;
    }
    Some(())
}

/// All filters of a group, two vectors of them at a time.
///
/// The last vector ends at the last filter. **Invariant:** what it computes a second time is not added.
#[inline(always)]
fn all_filters<S: Simd, V: Lanes<S>>(
    simd: S,
    from: &Operands,
    group: usize,
    block: &[Range<usize>; 2],
    d_filters: &mut [f32],
) -> Option<()> {
    let (k, len) = (from.sizes.y[2] / from.sizes.groups, V::LEN);
    for at in (0..k).step_by(2 * len) {
        if k - at > len {
            let last = (at + len).min(k - len);
            let (ks, done) = ([at, last].map(|at| group * k + at), at + len - last);
            sweep::<S, V, 2>(simd, from, group, block, (ks, done), d_filters)?;
        } else {
            let (ks, done) = ([group * k + k - len], at + len - k);
            sweep::<S, V, 1>(simd, from, group, block, (ks, done), d_filters)?;
        }
    }
    Some(())
}

/// All taps and depths for the filters at `ks`; the first `done` lanes of the last vector are
/// dropped.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    from: &Operands,
    group: usize,
    block: &[Range<usize>; 2],
    (ks, done): ([usize; N], usize),
    d_filters: &mut [f32],
) -> Option<()> {
    let ([_, _, all], [fh, fw], k) = (from.sizes.x, from.sizes.filter, from.sizes.y[2]);
    let depth = all / from.sizes.groups;
    // Called through a table, so that each tile is a function with the registers to itself.
    let tiles: [Tile<S, N>; ROWS] = [
        tile::<S, V, 1, N>,
        tile::<S, V, 2, N>,
        tile::<S, V, 3, N>,
        tile::<S, V, 4, N>,
        tile::<S, V, 5, N>,
        tile::<S, V, 6, N>,
    ];
    for fy in 0..fh {
        let rows = Run {
            places: both_of(from.sizes.axis::<0>().outputs(fy), &block[0]),
            taps: fy..fy + 1,
        };
        for mut columns in columns(from) {
            columns.places = both_of(columns.places, &block[1]);
            if rows.is_empty() || columns.is_empty() {
                continue;
            }
            let mut pixels = Pixels::new(from, [&rows, &columns], ks, done)?;
            pixels.x = pixels.x.get(group * depth..)?;
            for i in even(columns.taps.len() * depth, ROWS) {
                let to = ((fy * fw + columns.taps.start) * depth + i.start) * k;
                tiles.get(i.len() - 1)?(simd, &pixels, d_filters.get_mut(to..)?)?;
                pixels.x = pixels.x.get(i.len()..)?;
            }
        }
    }
    Some(())
}

/// Outputs and taps that meet: the outputs of each tap; or, where one depth column is too short for
/// a tile, all taps of neighbouring outputs, which are contiguous but in groups.
fn columns(from: &Operands) -> impl Iterator<Item = Run> + use<> {
    let axis = from.sizes.axis::<1>();
    let short = from.sizes.x[2] < 4 && from.sizes.groups == 1;
    let runs = short.then(|| axis.runs()).into_iter().flatten();
    let taps = if short { 0..0 } else { 0..axis.filter };
    runs.chain(taps.map(move |tap| Run {
        places: axis.outputs(tap),
        taps: tap..tap + 1,
    }))
}

/// The places that are in both.
fn both_of(a: Range<usize>, b: &Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

/// What the tiles of one rectangle share: the first place that is read, how many there are, and how
/// far apart.
struct Pixels<'a, const N: usize> {
    x: &'a [f32],
    dy: &'a [f32],
    rows: usize,
    columns: usize,
    x_pitch: [usize; 2],
    dy_pitch: usize,
    k: usize,
    /// Filters in a group.
    per_group: usize,
    ks: [usize; N],
    done: usize,
}

impl<'a, const N: usize> Pixels<'a, N> {
    #[inline(always)]
    fn new(
        from: &Operands<'a>,
        [rows, columns]: [&Run; 2],
        ks: [usize; N],
        done: usize,
    ) -> Option<Self> {
        let ([_, width, depth], [_, wo, k]) = (from.sizes.x, from.sizes.y);
        let ([sy, sx], [py, px]) = (from.sizes.stride, from.sizes.before);
        let [oy, ox] = [rows.places.start, columns.places.start];
        let row = (oy * sy + rows.taps.start).checked_sub(py)?;
        let column = (ox * sx + columns.taps.start).checked_sub(px)?;
        Some(Self {
            x: from.x.get((row * width + column) * depth..)?,
            dy: from.dy.get((oy * wo + ox) * k..)?,
            rows: rows.places.len(),
            columns: columns.places.len(),
            x_pitch: [sy * width * depth, sx * depth],
            dy_pitch: wo * k,
            k,
            per_group: k / from.sizes.groups,
            ks,
            done,
        })
    }
}

type Tile<S, const N: usize> = fn(S, &Pixels<'_, N>, &mut [f32]) -> Option<()>;

fn tile<S: Simd, V: Lanes<S>, const R: usize, const N: usize>(
    simd: S,
    pixels: &Pixels<'_, N>,
    d_filters: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut sums = [[V::splat(simd, 0.0); N]; R];
            add_products(simd, pixels, &mut sums)?;
            if pixels.per_group < V::LEN {
                // The other lanes are the next pixel's.
                for r in 0..R {
                    let mut all = [0.0; 16];
                    sums[r][0].store(&mut all, 0);
                    let row = d_filters.get_mut(r * pixels.k + pixels.ks[0]..)?;
                    for (to, sum) in row.iter_mut().zip(&all).take(pixels.per_group) {
                        *to += sum;
                    }
                }
                return Some(());
            }
            for r in 0..R {
                sums[r][N - 1] = sums[r][N - 1].clear_below(pixels.done);
                for n in 0..N {
                    let at = r * pixels.k + pixels.ks[n];
                    V::load(simd, d_filters, at)?
                        .add(sums[r][n])
                        .store(d_filters, at);
                }
            }
            Some(())
        },
    )
}

/// Adds the products of the first R scalars of each pixel with its `dy`.
#[inline(always)]
fn add_products<S: Simd, V: Lanes<S>, const R: usize, const N: usize>(
    simd: S,
    pixels: &Pixels<'_, N>,
    sums: &mut [[V; N]; R],
) -> Option<()> {
    let &Pixels {
        rows,
        columns,
        x_pitch,
        dy_pitch,
        k,
        ks,
        ..
    } = pixels;
    let x = pixels
        .x
        .get(..extent(rows, x_pitch[0], extent(columns, x_pitch[1], R)?)?)?;
    let dy = pixels
        .dy
        .get(..extent(rows, dy_pitch, columns.checked_mul(k)?)?)?;
    // A vector may reach into the next pixel; the last pixel has none.
    let over = ks.iter().any(|at| at + V::LEN > k);
    if ks.iter().any(|at| at + V::LEN > 2 * k) || dy_pitch < k {
        return None;
    }
    // Neighbours do not go to the same registers, where there are enough: an addition would wait for
    // the one before.
    let mut odd = [[V::splat(simd, 0.0); N]; R];
    for row in 0..rows {
        let whole = columns - usize::from(over && row + 1 == rows);
        let mut column = 0;
        while column < whole {
            let at = [
                row * x_pitch[0] + column * x_pitch[1],
                row * dy_pitch + column * k,
            ];
            // SAFETY: row < rows and column < columns, so at[0] + R <= (rows − 1) · x_pitch[0] +
            // (columns − 1) · x_pitch[1] + R = x.len(), and at[1] + k <= (rows − 1) · dy_pitch +
            // columns · k = dy.len(). If ks[n] + LEN > k it is <= 2 · k, and this is not the last
            // pixel: the next one is k <= dy_pitch scalars on, or more.
            unsafe { add_pixel(simd, [x, dy], at, ks, sums) };
            column += 1;
            if N == 1 && column < whole {
                let at = [at[0] + x_pitch[1], at[1] + k];
                // SAFETY: likewise.
                unsafe { add_pixel(simd, [x, dy], at, ks, &mut odd) };
                column += 1;
            }
        }
    }
    if over {
        add_last(simd, x, dy.get(dy.len() - k..)?, ks, sums)?;
    }
    for r in 0..R {
        for n in 0..N {
            sums[r][n] = sums[r][n].add(odd[r][n]);
        }
    }
    Some(())
}

/// # Safety
///
/// `at[0] + R` scalars of x, and `at[1] + ks[n] + LEN` of dy, are there.
#[inline(always)]
unsafe fn add_pixel<S: Simd, V: Lanes<S>, const R: usize, const N: usize>(
    simd: S,
    [x, dy]: [&[f32]; 2],
    at: [usize; 2],
    ks: [usize; N],
    sums: &mut [[V; N]; R],
) {
    let mut vectors = [V::splat(simd, 0.0); N];
    for n in 0..N {
        // SAFETY: as the caller promises.
        vectors[n] = unsafe { V::load_unchecked(simd, dy, at[1] + ks[n]) };
    }
    for r in 0..R {
        // SAFETY: as the caller promises, and r < R.
        let x = V::splat(simd, *unsafe { x.get_unchecked(at[0] + r) });
        for n in 0..N {
            sums[r][n] = x.mul_add(vectors[n], sums[r][n]);
        }
    }
}

/// The last R scalars of x, with a `dy` that is shorter than the vectors.
#[inline(always)]
fn add_last<S: Simd, V: Lanes<S>, const R: usize, const N: usize>(
    simd: S,
    x: &[f32],
    dy: &[f32],
    ks: [usize; N],
    sums: &mut [[V; N]; R],
) -> Option<()> {
    let x = x.last_chunk::<R>()?;
    for n in 0..N {
        let mut lanes = [0.0; 16];
        for (to, dy) in lanes.iter_mut().zip(dy.get(ks[n]..)?) {
            *to = *dy;
        }
        let vector = V::load(simd, &lanes, 0)?;
        for r in 0..R {
            sums[r][n] = V::splat(simd, x[r]).mul_add(vector, sums[r][n]);
        }
    }
    Some(())
}
