//! Depthwise convolution: vectors run over the depth, where neighbours have nothing to do with each
//! other.
//!
//! ```text
//!   x[pixel][d‥d+L], 6 neighbours ──▶ ┌ f₀ f₁ f₂          ┐
//!                                     │    f₀ f₁ f₂       │   4 sums of 2 L lanes of the depth, for
//!                                     │       f₀ f₁ f₂    │   all rows of taps; then the next 2 L
//!                                     └          f₀ f₁ f₂ ┘
//! ```
//!
//! Windows of neighbours overlap: with 3 taps in a row, 9 loads serve 12 multiply-adds. Where a window
//! hangs over the border, what is not there is zero; and the gradient on the input is the same sum, with
//! the filters the other way round. Small images go through the registers in another order: see `strips`.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

pub(crate) mod filter_grad;
pub(crate) mod scalar;
mod strips;

use fearless_simd::Simd;

use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::{Phase, extent};
use crate::kernel::{Clamp, Sizes};

/// What forward reads.
pub(crate) struct Operands<'a> {
    pub(crate) sizes: &'a Sizes,
    pub(crate) x: &'a [f32],
    pub(crate) filters: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) clamp: Clamp,
}

#[inline(never)]
pub(crate) fn forward(from: &Operands, y: &mut [f32]) -> Option<()> {
    dispatch!(simd => forward_with(simd, from, y)).or_else(|| scalar::depthwise(from, y))
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    widest!(simd: S, from.sizes.y[2], outputs(from, y))
}

/// All outputs.
#[inline(always)]
fn outputs<S: Simd, V: Lanes<S>>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    let sizes = from.sizes;
    let ([height, width, depth], [ho, wo, _]) = (sizes.x, sizes.y);
    let map = Map {
        x: from.x,
        size: [height, width],
        depth,
        before: sizes.before,
        taps: sizes.filter,
        stride: sizes.stride,
        filters: from.filters,
        first: 0,
        pitch: [sizes.filter[1] * depth, depth],
        bias: Some(from.bias),
        clamp: from.clamp.bounds(),
        places: [ho, wo],
        step: [wo * depth, depth],
    };
    map.write::<S, V>(simd, y)
}

#[inline(never)]
pub(crate) fn backward_input(
    sizes: &Sizes,
    dx: &mut [f32],
    dy: &[f32],
    filters: &[f32],
) -> Option<()> {
    dispatch!(simd => backward_with(simd, sizes, dx, dy, filters))
}

#[inline(always)]
fn backward_with<S: Simd>(
    simd: S,
    sizes: &Sizes,
    dx: &mut [f32],
    dy: &[f32],
    filters: &[f32],
) -> Option<()> {
    widest!(simd: S, sizes.y[2], inputs(sizes, dx, dy, filters))
}

/// The gradient on all inputs, phase by phase of the stride.
#[inline(always)]
fn inputs<S: Simd, V: Lanes<S>>(
    simd: S,
    sizes: &Sizes,
    dx: &mut [f32],
    dy: &[f32],
    filters: &[f32],
) -> Option<()> {
    let ([_, fw], [sy, sx]) = (sizes.filter, sizes.stride);
    let ([_, width, depth], [ho, wo, _]) = (sizes.x, sizes.y);
    for rows in sizes.axis::<0>().phases() {
        for columns in sizes.axis::<1>().phases() {
            let taps = [rows.taps(), columns.taps()];
            // The first window begins at the output that the last tap meets.
            let before = |phase: &Phase| phase.taps().wrapping_sub(phase.output + 1);
            let [last_row, last] = taps.map(|taps| taps.saturating_sub(1));
            let map = Map {
                x: dy,
                size: [ho, wo],
                depth,
                before: [before(&rows), before(&columns)],
                taps,
                stride: [1, 1],
                filters,
                first: ((rows.tap + last_row * sy) * fw + columns.tap + last * sx) * depth,
                pitch: [sy * fw * depth, sx * depth].map(usize::wrapping_neg),
                bias: None,
                clamp: None,
                places: [rows.places(), columns.places()],
                step: [sy * width * depth, sx * depth],
            };
            let dx = dx.get_mut((rows.first * width + columns.first) * depth..)?;
            map.write::<S, V>(simd, dx)?;
        }
    }
    Some(())
}

/// Sums for all windows.
#[derive(Clone, Copy)]
struct Map<'a> {
    x: &'a [f32],
    /// Rows and columns of `x`, each pixel of `depth`.
    size: [usize; 2],
    depth: usize,
    /// How far before `x` the first window begins; wraps if it begins inside.
    before: [usize; 2],
    /// Rows and columns of a window.
    taps: [usize; 2],
    /// From one window to the next, in pixels of `x`.
    stride: [usize; 2],
    filters: &'a [f32],
    /// Where the first tap is, and from one tap to the next; wraps if that is before.
    first: usize,
    pitch: [usize; 2],
    /// What the sums start from; zero if there is none.
    bias: Option<&'a [f32]>,
    clamp: Option<[f32; 2]>,
    /// Rows and columns of sums, and scalars from one that is written to the next.
    places: [usize; 2],
    step: [usize; 2],
}

/// Sums of a tile at most.
const PLACES: usize = 4;

impl Map<'_> {
    #[inline(always)]
    fn write<S: Simd, V: Lanes<S>>(&self, simd: S, y: &mut [f32]) -> Option<()> {
        let write = match (self.taps, self.stride[1]) {
            ([3, 3], 1) => write::<S, V, 3, 1>,
            ([5, 5], 1) => write::<S, V, 5, 1>,
            ([3, 3], 2) => write::<S, V, 3, 2>,
            _ => write::<S, V, 0, 0>,
        };
        write(simd, self, y)
    }

    /// Whether all that the sums read is there.
    fn is_whole(&self) -> bool {
        let ([height, width], [rows, columns], [down, across]) = (self.size, self.taps, self.pitch);
        if self.x.len() != height * width * self.depth {
            return false;
        }
        let last = |from: usize, taps: usize, pitch: usize| {
            from.wrapping_add(taps.wrapping_sub(1).wrapping_mul(pitch))
        };
        let below = last(self.first, rows, down);
        let right = [self.first, below].map(|from| last(from, columns, across));
        let mut corners = [self.first, below].into_iter().chain(right);
        let tap_is_there = |at| {
            self.filters
                .get(at..)
                .is_some_and(|f| f.len() >= self.depth)
        };
        self.taps.contains(&0) || corners.all(tap_is_there)
    }

    /// F and SX as constants if they are: what depends on them is unrolled then.
    #[inline(always)]
    const fn window<const F: usize, const SX: usize>(&self) -> ([usize; 2], usize) {
        if F > 0 {
            ([F, F], SX)
        } else {
            (self.taps, self.stride[1])
        }
    }
}

/// All sums. Called through a pointer, so that it is a function with the registers to itself.
fn write<S: Simd, V: Lanes<S>, const F: usize, const SX: usize>(
    simd: S,
    map: &Map<'_>,
    y: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            // A copy, which no store to `y` could change.
            let map = &{ *map };
            if map.depth < V::LEN || !map.is_whole() {
                return None;
            }
            let ([rows, columns], sx) = map.window::<F, SX>();
            // Columns that a tile sees: too many to be inside, if they are more than can be counted.
            let seen = sx.saturating_mul(PLACES - 1).saturating_add(columns);
            let strips = F == 3 && strips::fits(map);
            for row in 0..map.places[0] {
                let y = y.get_mut(row * map.step[0]..)?;
                let line = (row * map.stride[0]).wrapping_sub(map.before[0]);
                let whole = within(line, rows, map.size[0]);
                if const { F == 3 } && strips {
                    // All three rows of taps meet the input, or all but the first or the last.
                    let two = match line {
                        usize::MAX => [0, 1],
                        line => [line, 0],
                    };
                    if whole {
                        strips::row::<S, V, SX, 3>(simd, map, [line, 0], y)?;
                        continue;
                    } else if within(two[0], 2, map.size[0]) {
                        strips::row::<S, V, SX, 2>(simd, map, two, y)?;
                        continue;
                    }
                }
                let mut place = 0;
                while place < map.places[1] {
                    // The last tile ends at the last place, and computes some a second time, whole, and so the
                    // same; fewer than a tile are computed one by one.
                    let several = map.places[1] >= PLACES;
                    let first = match several {
                        true => place.min(map.places[1] - PLACES),
                        false => place,
                    };
                    let column = (first * sx).wrapping_sub(map.before[1]);
                    let inside = whole && within(column, seen, map.size[1]);
                    let corner = [line, column];
                    let y = y.get_mut(first * map.step[1]..)?;
                    match (several, inside) {
                        (true, true) => tiles::<S, V, F, SX, PLACES, true>(simd, map, corner, y)?,
                        (true, false) => tiles::<S, V, F, SX, PLACES, false>(simd, map, corner, y)?,
                        (false, _) => tiles::<S, V, F, SX, 1, false>(simd, map, corner, y)?,
                    }
                    place += if several { PLACES } else { 1 };
                }
            }
            Some(())
        },
    )
}

/// Whether `len` from `from` on are inside.
#[inline(always)]
fn within(from: usize, len: usize, size: usize) -> bool {
    from.checked_add(len).is_some_and(|end| end <= size)
}

/// P neighbours, of which the first window begins at `corner`: all their depths.
#[inline(always)]
fn tiles<
    S: Simd,
    V: Lanes<S>,
    const F: usize,
    const SX: usize,
    const P: usize,
    const INSIDE: bool,
>(
    simd: S,
    map: &Map<'_>,
    corner: [usize; 2],
    y: &mut [f32],
) -> Option<()> {
    let mut at = 0;
    while at + 2 * V::LEN <= map.depth {
        tile::<S, V, F, SX, 2, P, INSIDE>(simd, map, corner, at, y)?;
        at += 2 * V::LEN;
    }
    while at < map.depth {
        // The last vector ends at the last depth, and may compute some a second time: from the bias on,
        // whole, and so the same.
        let last = at.min(map.depth - V::LEN);
        tile::<S, V, F, SX, 1, P, INSIDE>(simd, map, corner, last, y)?;
        at += V::LEN;
    }
    Some(())
}

/// P neighbours, of which the first window begins at `corner`, to `y`. INSIDE: no window hangs over.
#[inline(always)]
fn tile<
    S: Simd,
    V: Lanes<S>,
    const F: usize,
    const SX: usize,
    const N: usize,
    const P: usize,
    const INSIDE: bool,
>(
    simd: S,
    map: &Map<'_>,
    [line, column]: [usize; 2],
    at: usize,
    y: &mut [f32],
) -> Option<()> {
    let pitch = map.size[1] * map.depth;
    // Wraps if the window hangs over.
    let corner = line
        .wrapping_mul(pitch)
        .wrapping_add(column.wrapping_mul(map.depth))
        .wrapping_add(at);
    let y = y
        .get_mut(at..)?
        .get_mut(..extent(P, map.step[1], N * V::LEN)?)?;
    let zero = V::splat(simd, 0.0);
    let mut totals = [[zero; N]; P];
    if let Some(bias) = map.bias {
        for n in 0..N {
            totals[0][n] = V::load(simd, bias, at + n * V::LEN)?;
        }
        totals = [totals[0]; P];
    }
    let ([rows, columns], sx) = map.window::<F, SX>();
    for v in 0..rows {
        if !INSIDE && line.wrapping_add(v) >= map.size[0] {
            continue;
        }
        let row = corner.wrapping_add(v * pitch);
        if F > 0 {
            let mut factors = [[zero; N]; F];
            for u in 0..F {
                // SAFETY: the map is whole, v < taps[0] and u < F = taps[1].
                factors[u] = unsafe { filter::<S, V, N>(simd, map, v, u, at) };
            }
            for j in 0..(P - 1) * SX + F {
                let mut x = [zero; N];
                if INSIDE || column.wrapping_add(j) < map.size[1] {
                    // SAFETY: the map is whole, line + v < size[0] and column + j < size[1].
                    x = unsafe { vectors::<S, V, N>(simd, map.x, row.wrapping_add(j * map.depth)) };
                }
                for p in 0..P {
                    if (p * SX..p * SX + F).contains(&j) {
                        for n in 0..N {
                            totals[p][n] = x[n].mul_add(factors[j - p * SX][n], totals[p][n]);
                        }
                    }
                }
            }
        } else {
            for u in 0..columns {
                // SAFETY: the map is whole, v < taps[0] and u < taps[1].
                let factor = unsafe { filter::<S, V, N>(simd, map, v, u, at) };
                for p in 0..P {
                    let j = p * sx + u;
                    if INSIDE || column.wrapping_add(j) < map.size[1] {
                        // SAFETY: as above.
                        let x = unsafe {
                            vectors::<S, V, N>(simd, map.x, row.wrapping_add(j * map.depth))
                        };
                        for n in 0..N {
                            totals[p][n] = x[n].mul_add(factor[n], totals[p][n]);
                        }
                    }
                }
            }
        }
    }
    for p in 0..P {
        for n in 0..N {
            let sum = totals[p][n].clamp(simd, map.clamp);
            // SAFETY: at + LEN <= (P − 1) · step + N · LEN = y.len(), because p < P and n < N.
            unsafe { sum.store_unchecked(y, p * map.step[1] + n * V::LEN) };
        }
    }
    Some(())
}

/// The filters of a tap, which lies between the corners of the window.
///
/// # Safety
///
/// The map is whole, `v < taps[0]`, `u < taps[1]`, `at + N · LEN <= depth`
#[inline(always)]
unsafe fn filter<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    map: &Map<'_>,
    v: usize,
    u: usize,
    at: usize,
) -> [V; N] {
    let [down, across] = map.pitch;
    let tap = v.wrapping_mul(down).wrapping_add(u.wrapping_mul(across));
    let at = map.first.wrapping_add(tap).wrapping_add(at);
    // SAFETY: behind each corner there are `depth` filters.
    unsafe { vectors(simd, map.filters, at) }
}

/// N vectors from `at` on.
///
/// # Safety
///
/// `at + N · LEN <= from.len()`
#[inline(always)]
unsafe fn vectors<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    from: &[f32],
    at: usize,
) -> [V; N] {
    let mut vectors = [V::splat(simd, 0.0); N];
    for n in 0..N {
        // SAFETY: n < N.
        vectors[n] = unsafe { V::load_unchecked(simd, from, at + n * V::LEN) };
    }
    vectors
}
