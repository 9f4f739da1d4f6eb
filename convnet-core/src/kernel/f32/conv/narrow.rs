//! Convolution with fewer filters than a vector has lanes, and more than half as many.
//!
//! ```text
//!   filters, K = 6    ├── i: k0 … k5 ──┼── i + 1: k0 … k5 ──┤
//!   copied            ├── i: k0 … k5  0  0 ──┼── i + 1: k0 … k5  0  0 ──┤     a vector of 8 each
//! ```
//!
//! One vector of filters leaves registers for twelve pixels, which are neighbours in a row, or in a
//! column where rows are short.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::{Operands, walk};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::window::{even_lengths, extent};

/// P at most.
const PIXELS: usize = 12;

/// Lanes of a vector at most.
const LANES: usize = 16;

/// Rows of filters at most: their copy is 16 KB on the stack.
const ROWS: usize = 256;

/// Whether a vector of eight lanes or more holds `k` filters and wastes less than half of its lanes.
#[inline(always)]
pub(crate) fn narrow<S: Simd>(_: S, k: usize) -> bool {
    let lanes = const { <S::f32s as Lanes<S>>::LEN };
    lanes >= 8 && (lanes / 2 + 1..lanes).contains(&k)
}

/// Whether there is a kernel for these filters here.
#[inline(always)]
pub(crate) fn fits<S: Simd>(simd: S, from: &Operands) -> bool {
    let k = from.sizes.y[2];
    narrow(simd, k) && from.filters.len() <= ROWS * k
}

/// A row of filters in each vector; what lies beyond the last filter is zero.
#[repr(align(64))]
struct Bank([f32; ROWS * LANES]);

/// All pixels.
#[inline(always)]
pub(crate) fn sweep<S: Simd, V: Lanes<S>>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    // Called through a table, so that each tile is a function with the registers to itself.
    let tiles: [Tile<S, V>; PIXELS] = [
        tile::<S, V, 1>,
        tile::<S, V, 2>,
        tile::<S, V, 3>,
        tile::<S, V, 4>,
        tile::<S, V, 5>,
        tile::<S, V, 6>,
        tile::<S, V, 7>,
        tile::<S, V, 8>,
        tile::<S, V, 9>,
        tile::<S, V, 10>,
        tile::<S, V, 11>,
        tile::<S, V, 12>,
    ];
    let ([_, width, depth], [_, wo, k]) = (from.sizes.x, from.sizes.y);
    let [sy, sx] = from.sizes.stride;
    let steps = [[sy * width * depth, wo * k], [sx * depth, k]];
    let mut bank = Bank([0.0; ROWS * LANES]);
    let vectors = bank.0.chunks_exact_mut(V::LEN);
    for (to, from) in vectors.zip(from.filters.chunks_exact(k)) {
        first(from, to);
    }
    let (mut bias, mut lanes) = ([0.0; LANES], [0.0; LANES]);
    first(from.bias, &mut bias);
    first([1.0; LANES].get(..k)?, &mut lanes);
    for rows in from.sizes.axis::<0>().runs() {
        for columns in from.sizes.axis::<1>().runs() {
            let lengths = [rows.places.len(), columns.places.len()];
            let along = usize::from(lengths[0] <= lengths[1]);
            let across = 1 - along;
            let first_tap = [rows.taps.start, columns.taps.start * depth];
            let pitch = from.sizes.filter[1] * depth;
            let taps = Taps {
                x: from.x,
                weights: bank
                    .0
                    .get((first_tap[0] * pitch + first_tap[1]) * V::LEN..)
                    .unwrap_or_default(),
                bias: V::load(simd, &bias, 0)?,
                lanes: V::load(simd, &lanes, 0)?,
                k,
                rows: if columns.taps.is_empty() {
                    0
                } else {
                    rows.taps.len()
                },
                row: columns.taps.len() * depth,
                x_pitch: width * depth,
                weight_pitch: pitch * V::LEN,
                step: steps[along],
            };
            let mut line = walk(from.sizes, [&rows, &columns], first_tap).next();
            for _ in 0..lengths[across] {
                let mut at = line;
                for size in even_lengths(lengths[along], PIXELS) {
                    tiles.get(size - 1)?(simd, &taps, at, y)?;
                    at = ahead(at, size, steps[along]);
                }
                line = ahead(line, 1, steps[across]);
            }
        }
    }
    Some(())
}

/// Writes the values to the first lanes.
#[inline(always)]
fn first(values: &[f32], lanes: &mut [f32]) {
    for (to, value) in lanes.iter_mut().zip(values) {
        *to = *value;
    }
}

/// `n` steps on. Wraps where nothing is read.
#[inline(always)]
fn ahead(at: [usize; 2], n: usize, step: [usize; 2]) -> [usize; 2] {
    let on = |i: usize| at[i].wrapping_add(n.wrapping_mul(step[i]));
    [on(0), on(1)]
}

/// What the tiles of one rectangle share: the taps that meet the input.
struct Taps<'a, V> {
    x: &'a [f32],
    /// From the first tap on.
    weights: &'a [f32],
    bias: V,
    /// One in each lane that is a filter's, zero in the others.
    lanes: V,
    k: usize,
    /// How many rows of taps there are, and scalars in each.
    rows: usize,
    row: usize,
    x_pitch: usize,
    weight_pitch: usize,
    /// From one pixel to the next, in `x` and in `y`.
    step: [usize; 2],
}

type Tile<S, V> = fn(S, &Taps<'_, V>, [usize; 2], &mut [f32]) -> Option<()>;

/// P pixels from `at`, the places in `x` and in `y`.
fn tile<S: Simd, V: Lanes<S>, const P: usize>(
    simd: S,
    taps: &Taps<'_, V>,
    at: [usize; 2],
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut sums = [taps.bias; P];
            if taps.rows > 0 {
                sums = add_products(simd, taps, taps.x.get(at[0]..)?, sums)?;
            }
            // In a row the next pixel is written over the lanes beyond the last filter.
            let follow = taps.step[1] == taps.k;
            for p in 0..P {
                let at = at[1] + p * taps.step[1];
                if follow && p + 1 < P {
                    sums[p].store(y, at);
                } else {
                    keep(simd, taps, sums[p], y, at)?;
                }
            }
            Some(())
        },
    )
}

/// Adds the products of the taps and the pixels from the beginning of `x` on.
///
/// Unchecked inside, and loops that test at their end, as in [`tile`](crate::kernel::f32::tile).
#[inline(always)]
fn add_products<S: Simd, V: Lanes<S>, const P: usize>(
    simd: S,
    taps: &Taps<'_, V>,
    x: &[f32],
    mut sums: [V; P],
) -> Option<[V; P]> {
    let &Taps {
        weights,
        rows,
        row,
        x_pitch,
        weight_pitch,
        step: [step, _],
        ..
    } = taps;
    let x = x.get(..extent(P, step, extent(rows, x_pitch, row)?)?)?;
    let weights = weights.get(..extent(rows, weight_pitch, row * V::LEN)?)?;
    if row == 0 {
        return None;
    }
    let mut fy = 0;
    loop {
        let mut i = 0;
        loop {
            // SAFETY: fy · weight_pitch + i · LEN + LEN <= (rows − 1) · weight_pitch + row · LEN =
            // weights.len(): fy < rows, i < row.
            let weights =
                unsafe { V::load_unchecked(simd, weights, fy * weight_pitch + i * V::LEN) };
            for p in 0..P {
                // SAFETY: p · step + fy · x_pitch + i < (P − 1) · step + (rows − 1) · x_pitch + row =
                // x.len(), as p < P.
                let x = V::splat(simd, *unsafe {
                    x.get_unchecked(p * step + fy * x_pitch + i)
                });
                sums[p] = x.mul_add(weights, sums[p]);
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

/// Writes the lanes that are filters'.
#[inline(always)]
fn keep<S: Simd, V: Lanes<S>>(
    simd: S,
    taps: &Taps<'_, V>,
    sum: V,
    y: &mut [f32],
    at: usize,
) -> Option<()> {
    if let Some(there) = V::load(simd, y, at) {
        let zero = V::splat(simd, 0.0);
        taps.lanes.if_greater(zero, sum, there).store(y, at);
        return Some(());
    }
    // The last pixels of all.
    let mut all = [0.0; LANES];
    sum.store(&mut all, 0);
    let y = y.get_mut(at..)?.get_mut(..taps.k)?;
    for (y, sum) in y.iter_mut().zip(&all) {
        *y = *sum;
    }
    Some(())
}
