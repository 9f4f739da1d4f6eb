//! The gradient on the input: dot products over the filters, as tiles of registers.
//!
//! ```text
//!                       filters[tap][d]    filters[tap][d+1]  …      both are contiguous in k
//!   dy[output 0] ──▶    sum += dy · f      sum += dy · f             P × R vectors of lanes of k,
//!   dy[output 1] ──▶    sum += dy · f      sum += dy · f             added up at the end
//!        …
//! ```
//!
//! With a stride S, the inputs `phase, phase + S, …` meet every S-th tap and neighbouring outputs:
//! each phase is a convolution of stride 1. As in [`conv`](super), inputs that meet the same
//! taps are tiled together. In groups, one follows the other: each has its part of the depths and of
//! the filters.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use core::array;

use fearless_simd::Simd;

use crate::kernel::Sizes;
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::{Phase, Run, Walk, even, even_lengths, extent};

/// P and R at most; and where 5 or 6 depths are all there are.
const MOST: [usize; 2] = [3, 4];
const SHALLOW: [usize; 2] = [2, 6];

/// What is read.
pub(crate) struct Operands<'a> {
    pub(crate) sizes: &'a Sizes,
    pub(crate) dy: &'a [f32],
    pub(crate) filters: &'a [f32],
}

#[inline(never)]
pub(crate) fn backward(from: &Operands, dx: &mut [f32]) -> Option<()> {
    dispatch!(simd => depths(simd, from, dx))
}

#[inline(always)]
fn depths<S: Simd>(simd: S, from: &Operands, dx: &mut [f32]) -> Option<()> {
    widest!(simd: S, from.sizes.y[2] / from.sizes.groups, sweep(from, dx))
}

/// All inputs, a few depths at a time: their filters stay in the first-level cache.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>>(simd: S, from: &Operands, dx: &mut [f32]) -> Option<()> {
    // Called through a table, so that each tile is a function with the registers to itself.
    let tiles: [&[Tile<S, V>]; MOST[0]] = [
        &shallow::<S, V, 1>(),
        &shallow::<S, V, 2>(),
        &tiles::<S, V, 3>(),
    ];
    let (rows, columns) = (from.sizes.axis::<0>(), from.sizes.axis::<1>());
    let [depth, k] = [from.sizes.x[2], from.sizes.y[2]].map(|all| all / from.sizes.groups);
    let rest = V::rest(simd, k);
    let [pixels, most] = match depth {
        5..=6 => SHALLOW,
        _ => MOST,
    };
    let depths =
        (0..from.sizes.groups).flat_map(|group| even(depth, most).map(move |d| (group, d)));
    for (group, d) in depths {
        for place in rows.phases().flat_map(Phase::runs) {
            for (u, columns) in columns.phases().flat_map(Phase::runs) {
                let runs = [&place, &(u, columns)];
                let taps = Taps::new(from, runs, [d.start, group * k], rest);
                let mut walk = walk(from.sizes, runs, group * depth + d.start);
                let [rows, columns] = runs.map(|(_, run)| run.places.len());
                for size in even_lengths(rows * columns, pixels) {
                    tiles.get(size - 1)?.get(d.len() - 1)?(simd, &taps, &mut walk, dx)?;
                }
            }
        }
    }
    Some(())
}

/// The tiles of P pixels.
fn tiles<S: Simd, V: Lanes<S>, const P: usize>() -> [Tile<S, V>; MOST[1]] {
    [
        tile::<S, V, P, 1>,
        tile::<S, V, P, 2>,
        tile::<S, V, P, 3>,
        tile::<S, V, P, 4>,
    ]
}

/// The tiles of P pixels, as many as leave registers for all R.
fn shallow<S: Simd, V: Lanes<S>, const P: usize>() -> [Tile<S, V>; SHALLOW[1]] {
    let [one, two, three, four] = tiles::<S, V, P>();
    [
        one,
        two,
        three,
        four,
        tile::<S, V, P, 5>,
        tile::<S, V, P, 6>,
    ]
}

/// From the outputs that meet the last tap, to the inputs.
pub(crate) fn walk(sizes: &Sizes, [(v, rows), (u, columns)]: [&(Phase, Run); 2], d: usize) -> Walk {
    let ([_, width, depth], [_, wo, k], [sy, sx]) = (sizes.x, sizes.y, sizes.stride);
    let [m, n] = [rows.places.start, columns.places.start];
    // Wraps if no tap meets the input: nothing is read then.
    let row = (v.output + m + 1).wrapping_sub(rows.taps.end);
    let column = (u.output + n + 1).wrapping_sub(columns.taps.end);
    let output = row.wrapping_mul(wo).wrapping_add(column).wrapping_mul(k);
    let input = ((v.first + m * sy) * width + u.first + n * sx) * depth + d;
    Walk::new(
        columns.places.len(),
        [output, input],
        [k, sx * depth],
        [wo * k, sy * width * depth],
    )
}

/// What the tiles of one rectangle share.
struct Taps<'a, V> {
    /// From the first filter of the group on.
    dy: &'a [f32],
    /// From the first tap on.
    filters: &'a [f32],
    rows: usize,
    columns: usize,
    /// From one output to the next, in a column and in a row.
    dy_pitch: [usize; 2],
    /// From one tap to the next, in a column and in a row. Taps run against outputs.
    filter_pitch: [usize; 2],
    /// From one depth to the next.
    filter_step: usize,
    /// How many filters there are in a group.
    k: usize,
    rest: V,
}

impl<'a, V> Taps<'a, V> {
    #[inline(always)]
    fn new(
        from: &Operands<'a>,
        [(v, rows), (u, columns)]: [&(Phase, Run); 2],
        [d, first]: [usize; 2],
        rest: V,
    ) -> Self {
        let ([_, _, all], [_, wo, k]) = (from.sizes.x, from.sizes.y);
        let depth = all / from.sizes.groups;
        let ([_, fw], [sy, sx]) = (from.sizes.filter, from.sizes.stride);
        let tap = (v.tap + rows.taps.start * sy) * fw + u.tap + columns.taps.start * sx;
        Self {
            dy: from.dy.get(first..).unwrap_or_default(),
            filters: from
                .filters
                .get((tap * depth + d) * k + first..)
                .unwrap_or_default(),
            rows: rows.taps.len(),
            columns: columns.taps.len(),
            dy_pitch: [wo * k, k],
            filter_pitch: [sy * fw * depth * k, sx * depth * k],
            filter_step: k,
            k: k / from.sizes.groups,
            rest,
        }
    }
}

type Tile<S, V> = fn(S, &Taps<'_, V>, &mut Walk, &mut [f32]) -> Option<()>;

fn tile<S: Simd, V: Lanes<S>, const P: usize, const R: usize>(
    simd: S,
    taps: &Taps<'_, V>,
    walk: &mut Walk,
    dx: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let places: [_; P] = array::from_fn(|_| walk.next());
            let mut sums = [[V::splat(simd, 0.0); R]; P];
            if taps.rows > 0 && taps.columns > 0 {
                let mut dys = [0; P];
                for p in 0..P {
                    dys[p] = places[p][0];
                }
                add_products(simd, taps, dys, &mut sums)?;
            }
            for p in 0..P {
                let dx = dx.get_mut(places[p][1]..)?.first_chunk_mut::<R>()?;
                for r in 0..R {
                    dx[r] = sums[p][r].sum();
                }
            }
            Some(())
        },
    )
}

/// Adds the products of the taps and the outputs from `places` of `dy` on.
///
/// Unchecked inside: with checked loads this takes three times as long.
#[inline(always)]
fn add_products<S: Simd, V: Lanes<S>, const P: usize, const R: usize>(
    simd: S,
    taps: &Taps<'_, V>,
    places: [usize; P],
    sums: &mut [[V; R]; P],
) -> Option<()> {
    let &Taps {
        rows,
        columns,
        dy_pitch,
        filter_pitch,
        filter_step,
        k,
        ..
    } = taps;
    let row = extent(columns, filter_pitch[1], extent(R, filter_step, k)?)?;
    let filters = taps.filters.get(..extent(rows, filter_pitch[0], row)?)?;
    let row = extent(columns, dy_pitch[1], k)?;
    let mut dys = [&[][..]; P];
    for p in 0..P {
        dys[p] = taps
            .dy
            .get(places[p]..)?
            .get(..extent(rows, dy_pitch[0], row)?)?;
    }
    let last = k.checked_sub(V::LEN)?;
    // SAFETY: called for v < rows, u < columns and at <= k − LEN, so that
    // v · dy_pitch[0] + u · dy_pitch[1] + at + LEN <= dys[p].len().
    let dy = |p: usize, at: usize| unsafe { V::load_unchecked(simd, dys[p], at) };
    // SAFETY: likewise; a tap has R rows of k, filter_step apart, and r < R.
    let filter = |at: usize| unsafe { V::load_unchecked(simd, filters, at) };
    for v in 0..rows {
        for u in 0..columns {
            let dy_at = v * dy_pitch[0] + u * dy_pitch[1];
            let f_at = (rows - 1 - v) * filter_pitch[0] + (columns - 1 - u) * filter_pitch[1];
            let mut at = 0;
            loop {
                let mut vectors = [V::splat(simd, 0.0); P];
                for p in 0..P {
                    vectors[p] = dy(p, dy_at + at);
                }
                for r in 0..R {
                    let f = filter(f_at + r * filter_step + at);
                    for p in 0..P {
                        sums[p][r] = vectors[p].mul_add(f, sums[p][r]);
                    }
                }
                at += V::LEN;
                if at > last {
                    break;
                }
            }
            if !k.is_multiple_of(V::LEN) {
                for p in 0..P {
                    let dy = dy(p, dy_at + last).mul(taps.rest);
                    for r in 0..R {
                        sums[p][r] = dy.mul_add(filter(f_at + r * filter_step + last), sums[p][r]);
                    }
                }
            }
        }
    }
    Some(())
}
