//! The register tile: what direct convolution and Winograd's products have in common.
//!
//! ```text
//!                      weights[i]: one row of filters   (i runs over fx and d, contiguous in x)
//!                      ┌────────┬────────┐
//!                      │ L lanes│ L lanes│             N vectors
//!                      └────────┴────────┘
//!   x[pixel 0][i] ──▶  ┌────────┬────────┐
//!   x[pixel 1][i] ──▶  │ sum += x · w    │             P × N vectors that never leave the
//!        …             │        │        │             registers
//!   x[pixel P][i] ──▶  └────────┴────────┘
//! ```
//!
//! Six pixels by as many vectors as the [registers] of a level allow, or eight by one: sums enough to hide the
//! latency of the multiply-adds.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use core::array;

use fearless_simd::Simd;

use crate::kernel::cache::{self, scalars};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::simd::registers;
use crate::kernel::window::{Walk, even_lengths, extent};

/// P at most.
const PIXELS: usize = 6;
/// P at most where N is 1: more would not leave other registers enough for their addresses.
const SINGLE: usize = 8;

/// N at most.
#[inline(always)]
pub(crate) const fn vectors<S: Simd>() -> usize {
    registers::vectors::<S>(PIXELS, 0)
}

/// `pixels` at the next places of the walk, which leads from `x` to `y`, by N vectors of filters: in as few
/// tiles as there can be, as even as possible.
#[inline(always)]
pub(crate) fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    taps: &Taps<'_, N>,
    walk: &mut Walk,
    pixels: usize,
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
    if const { N == 1 } {
        let more: [Tile<S, N>; SINGLE - PIXELS] = [tile::<S, V, 7, N>, tile::<S, V, 8, N>];
        for size in even_lengths(pixels, SINGLE) {
            let tile = tiles.get(size - 1).or_else(|| more.get(size - 1 - PIXELS));
            tile?(simd, taps, walk, y)?;
        }
        return Some(());
    }
    for size in even_lengths(pixels, PIXELS) {
        tiles.get(size - 1)?(simd, taps, walk, y)?;
    }
    Some(())
}

/// P pixels at the next places of a walk.
type Tile<S, const N: usize> = fn(S, &Taps<'_, N>, &mut Walk, &mut [f32]) -> Option<()>;

/// What the tiles of one rectangle share: the taps that meet the input.
#[derive(Clone, Copy)]
pub(crate) struct Taps<'a, const N: usize> {
    pub(crate) x: &'a [f32],
    /// From the first vector of the first tap on.
    pub(crate) weights: &'a [f32],
    pub(crate) start: Start<'a>,
    /// What the sums are clamped to, if they are done.
    pub(crate) clamp: Option<[f32; 2]>,
    /// How many rows of taps there are, and scalars in each.
    pub(crate) rows: usize,
    pub(crate) row: usize,
    pub(crate) x_pitch: usize,
    pub(crate) weight_pitch: usize,
    /// From one scalar's weights to the next one's.
    pub(crate) weight_step: usize,
    /// From one vector of a scalar's weights to the next of N, which may lie beyond the next scalar's.
    pub(crate) apart: usize,
    /// The N vectors of an output.
    pub(crate) to: [usize; N],
}

impl<'a, const N: usize> Taps<'a, N> {
    /// The same taps of as many vectors, from the weights at `first` on.
    #[inline(always)]
    pub(crate) fn at<const M: usize>(
        &self,
        first: usize,
        apart: usize,
        to: [usize; M],
    ) -> Taps<'a, M> {
        let &Self {
            x,
            weights,
            start,
            clamp,
            rows,
            row,
            x_pitch,
            weight_pitch,
            weight_step,
            ..
        } = self;
        Taps {
            x,
            // Nothing is read there if no tap meets the input.
            weights: weights.get(first..).unwrap_or_default(),
            start,
            clamp,
            rows,
            row,
            x_pitch,
            weight_pitch,
            weight_step,
            apart,
            to,
        }
    }
}

/// What the sums start from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    Zero,
    Bias(&'a [f32]),
    /// Both: a bias, and what lies in `y`, under the same invariant.
    Onto(&'a [f32]),
    /// What an earlier tile left in `y`.
    ///
    /// **Invariant:** no scalar of `y` is in two tiles that start from one sum. Vectors of one tile
    /// may overlap: it reads all of them before it writes any.
    Sums,
}

fn tile<S: Simd, V: Lanes<S>, const P: usize, const N: usize>(
    simd: S,
    taps: &Taps<'_, N>,
    walk: &mut Walk,
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            // A copy, which no store to `y` could change.
            let to = taps.to;
            let places: [_; P] = array::from_fn(|_| walk.next());
            let mut furthest = 0;
            for n in 0..N {
                furthest = furthest.max(to[n]);
            }
            let last = y.len().checked_sub(furthest.checked_add(V::LEN)?)?;
            for p in 0..P {
                if places[p][1] > last {
                    return None;
                }
            }
            let zero = V::splat(simd, 0.0);
            let mut sums = [[zero; N]; P];
            match taps.start {
                Start::Zero | Start::Sums => {}
                Start::Bias(bias) | Start::Onto(bias) => {
                    for n in 0..N {
                        sums[0][n] = V::load(simd, bias, taps.to[n])?;
                    }
                    sums = [sums[0]; P];
                }
            }
            if let Start::Sums | Start::Onto(_) = taps.start {
                for p in 0..P {
                    for n in 0..N {
                        let sum = V::load(simd, y, places[p][1] + taps.to[n])?;
                        sums[p][n] = sums[p][n].add(sum);
                    }
                }
            }
            if taps.rows > 0 {
                let mut xs = [0; P];
                for p in 0..P {
                    xs[p] = places[p][0];
                }
                sums = add_products(simd, taps, xs, sums)?;
            }
            // Not before: the sums need its registers.
            let clamp = taps.clamp;
            for p in 0..P {
                for n in 0..N {
                    let sum = sums[p][n].clamp(simd, clamp);
                    // SAFETY: places[p][1] + to[n] + LEN <= last + furthest + LEN = y.len().
                    unsafe { sum.store_unchecked(y, places[p][1] + to[n]) };
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
        weight_pitch,
        weight_step,
        apart,
        ..
    } = taps;
    let of_row = extent(row, weight_step, extent(N, apart, V::LEN)?)?;
    let weights = taps.weights.get(..extent(rows, weight_pitch, of_row)?)?;
    let seen = extent(rows, x_pitch, row)?;
    let last = taps.x.len().checked_sub(seen)?;
    // The ends of the pixels' rows: an index that runs up to zero needs no register for its end.
    let mut ends = [taps.x.as_ptr(); P];
    for p in 0..P {
        if places[p] > last {
            return None;
        }
        ends[p] = ends[p].wrapping_add(places[p] + row);
    }
    let mut fy = 0;
    loop {
        let (mut i, mut w) = (row.wrapping_neg(), fy * weight_pitch);
        loop {
            let mut vectors = [V::splat(simd, 0.0); N];
            for n in 0..N {
                let at = w + n * apart;
                if n * V::LEN % LINE == 0 {
                    prefetch(weights, at + AHEAD);
                }
                // SAFETY: at + LEN <= (rows − 1) · weight_pitch + (row − 1) · weight_step + (N − 1) · apart
                // + LEN = weights.len(): fy < rows, w is less than `row` steps behind its row, n < N.
                vectors[n] = unsafe { V::load_unchecked(simd, weights, at) };
            }
            for p in 0..P {
                // SAFETY: it is x[places[p] + fy · x_pitch + row + i] with −row <= i < 0, and
                // places[p] + (rows − 1) · x_pitch + row = places[p] + seen <= x.len().
                let x = V::splat(simd, unsafe { *ends[p].wrapping_add(i) });
                for n in 0..N {
                    sums[p][n] = x.mul_add(vectors[n], sums[p][n]);
                }
            }
            w += weight_step;
            i = i.wrapping_add(1);
            if i == 0 {
                break;
            }
        }
        fy += 1;
        if fy >= rows {
            break;
        }
        ends = ends.map(|end| end.wrapping_add(x_pitch));
    }
    Some(sums)
}

/// Scalars to a cache line.
pub(super) const LINE: usize = scalars::<f32>(cache::LINE);

/// Scalars of weights ahead of the tile: a page, at whose end the hardware's own prefetching stops.
const AHEAD: usize = 1024;

/// Asks for the cache line of `from[at]`, inside or beyond.
#[inline(always)]
pub(super) fn prefetch(from: &[f32], at: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing and never faults, wherever it points.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().wrapping_add(at).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, at);
}
