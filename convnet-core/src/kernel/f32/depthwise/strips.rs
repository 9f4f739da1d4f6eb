//! Windows of 3x3 whose rows the first-level cache keeps: along a row, one vector of the depth after the other.
//!
//! ```text
//!   x[pixel][d‥d+L], 8 neighbours ──▶ ┌ f₀ f₁ f₂                ┐
//!                                     │    f₀ f₁ f₂             │
//!                                     │       f₀ f₁ f₂          │   6 sums of L lanes of the depth;
//!                                     │          f₀ f₁ f₂       │   then the next 6 places of the row
//!                                     │             f₀ f₁ f₂    │
//!                                     └                f₀ f₁ f₂ ┘
//! ```
//!
//! The nine filters of these lanes stay in the registers for the whole row, and a zero is only laid out where the
//! first or the last window hangs over.

use fearless_simd::Simd;

use super::{Map, filter};
use crate::kernel::cache;
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::window::{extent, tiles};

/// Sums of a tile: beside nine filters and a vector of `x`, as many as the fewest registers hold.
const PLACES: usize = 6;
/// Sums of one where fewer are left.
const FEW: usize = 3;

/// Whether windows of 3x3 are computed so: what a vector sees of three rows stays in the cache for the next vector,
/// and windows hang over by one column at most.
pub(super) fn fits(map: &Map<'_>) -> bool {
    let (before, width) = (map.before[1], map.size[1]);
    let first = before.wrapping_neg();
    let last = map.places[1]
        .wrapping_sub(1)
        .wrapping_mul(map.stride[1])
        .wrapping_sub(before);
    let kept = cache::keeps(3 * width, map.depth * size_of::<f32>());
    kept && [first, last].iter().all(|column| {
        // One further, so that none wraps.
        let column = column.wrapping_add(1);
        column <= width && column + 3 <= width + 2
    })
}

/// One row of sums, to `y`: the R rows of taps from `tap` on meet the rows of the input from `line` on.
#[inline(always)]
pub(super) fn row<S: Simd, V: Lanes<S>, const SX: usize, const R: usize>(
    simd: S,
    map: &Map<'_>,
    [line, tap]: [usize; 2],
    y: &mut [f32],
) -> Option<()> {
    let mut at = 0;
    while at < map.depth {
        // The last vector ends at the last depth, and may compute some a second time, whole, and so the same.
        let from = at.min(map.depth - V::LEN);
        let zero = V::splat(simd, 0.0);
        let mut strip = Strip {
            line,
            from,
            filters: [[zero; 3]; R],
            bias: zero,
        };
        for v in 0..R {
            for u in 0..3 {
                // SAFETY: the map is whole, tap + v < tap + R <= 3 and from + LEN <= depth.
                [strip.filters[v][u]] = unsafe { filter(simd, map, tap + v, u, from) };
            }
        }
        if let Some(bias) = map.bias {
            strip.bias = V::load(simd, bias, from)?;
        }
        for (first, places) in tiles(0..map.places[1], [PLACES, FEW]) {
            match places {
                PLACES => strip.tile::<S, SX, PLACES>(simd, map, first, y)?,
                FEW => strip.tile::<S, SX, FEW>(simd, map, first, y)?,
                _ => strip.tile::<S, SX, 1>(simd, map, first, y)?,
            }
        }
        at += V::LEN;
    }
    Some(())
}

/// A vector of the depth along a row.
struct Strip<V, const R: usize> {
    /// The first row of the input that is met.
    line: usize,
    /// The first lane's depth.
    from: usize,
    filters: [[V; 3]; R],
    bias: V,
}

impl<V, const R: usize> Strip<V, R> {
    /// P sums from the place `first` on.
    #[inline(always)]
    fn tile<S: Simd, const SX: usize, const P: usize>(
        &self,
        simd: S,
        map: &Map<'_>,
        first: usize,
        y: &mut [f32],
    ) -> Option<()>
    where
        V: Lanes<S>,
    {
        let (width, depth) = (map.size[1], map.depth);
        let seen = (P - 1) * SX + 3;
        // Wraps if the window hangs over.
        let column = (first * SX).wrapping_sub(map.before[1]);
        let left = column == usize::MAX;
        let right = column.wrapping_add(seen) > width;
        let corner = (self.line * width)
            .wrapping_add(column)
            .wrapping_mul(depth)
            .wrapping_add(self.from);
        let y = y
            .get_mut(first * map.step[1] + self.from..)?
            .get_mut(..extent(P, map.step[1], V::LEN)?)?;
        let mut totals = [self.bias; P];
        for v in 0..R {
            let row = corner.wrapping_add(v * width * depth);
            for j in 0..seen {
                let x = if j == 0 && left || j + 1 == seen && right {
                    V::splat(simd, 0.0)
                } else {
                    // SAFETY: the map is whole, line + v < size[0], and because it fits, column + j < size[1].
                    unsafe { V::load_unchecked(simd, map.x, row.wrapping_add(j * depth)) }
                };
                for p in 0..P {
                    if (p * SX..p * SX + 3).contains(&j) {
                        totals[p] = x.mul_add(self.filters[v][j - p * SX], totals[p]);
                    }
                }
            }
        }
        for (p, total) in totals.into_iter().enumerate() {
            // SAFETY: p · step + LEN <= (P − 1) · step + LEN = y.len(), because p < P.
            unsafe {
                total
                    .clamp(simd, map.clamp)
                    .store_unchecked(y, p * map.step[1])
            };
        }
        Some(())
    }
}
