//! One axis of a sliding window: which taps of the filter meet the input.
//!
//! ```text
//!   before = 1, F = 3, S = 1, X = 5           outputs 0 1 2 3 4
//!      0 [x x x x x] 0                        taps    1 0 0 0 0 ..
//!     [f f f]                                         3 3 3 3 2
//!          [f f f]                            runs    ^ ^^^^^ ^    neighbours with the same taps
//! ```

use core::ops::Range;

use super::Sizes;

/// Rows or columns of [`Sizes`].
#[derive(Clone, Copy)]
pub(super) struct Axis {
    pub(super) x: usize,
    pub(super) filter: usize,
    pub(super) stride: usize,
    pub(super) before: usize,
    pub(super) y: usize,
}

impl Sizes {
    /// Rows (0) or columns (1): a constant, so that no index is looked at when the program runs.
    pub(super) fn axis<const AXIS: usize>(&self) -> Axis {
        Axis {
            x: self.x[AXIS],
            filter: self.filter[AXIS],
            stride: self.stride[AXIS],
            before: self.before[AXIS],
            y: self.y[AXIS],
        }
    }
}

impl Axis {
    /// The taps that meet the input at output `o`.
    pub(super) fn taps(&self, o: usize) -> Range<usize> {
        let start = o * self.stride;
        let low = self.before.saturating_sub(start).min(self.filter);
        let high = (self.x + self.before)
            .saturating_sub(start)
            .min(self.filter);
        low..high.max(low)
    }

    /// The outputs at which `tap` meets the input.
    pub(super) fn outputs(&self, tap: usize) -> Range<usize> {
        // A filter steps: what the compiler need not see to leave no panic.
        let stride = self.stride.max(1);
        let low = self.before.saturating_sub(tap).div_ceil(stride).min(self.y);
        let high = (self.x + self.before)
            .saturating_sub(tap)
            .div_ceil(stride)
            .min(self.y);
        low..high.max(low)
    }

    /// All outputs, as runs of neighbours that have the same taps.
    pub(super) fn runs(self) -> impl Iterator<Item = Run> {
        runs(self.y, move |o| self.taps(o))
    }

    /// How many phases backward has: inputs `phase, phase + S, …` meet the same taps but for the
    /// border.
    pub(super) fn phases(self) -> impl Iterator<Item = Phase> {
        (0..self.stride.min(self.x)).map(move |first| {
            let at = first + self.before;
            Phase {
                axis: self,
                first,
                tap: at % self.stride,
                output: at / self.stride,
            }
        })
    }
}

/// Neighbouring places with the same taps.
pub(super) struct Run {
    pub(super) places: Range<usize>,
    pub(super) taps: Range<usize>,
}

impl Run {
    /// Whether no tap meets the input here.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() || self.taps.is_empty()
    }
}

/// The inputs `first, first + S, …`. Input `first + m·S` meets the taps `tap + j·S` of the outputs
/// `output + m − j`, for every `j` for which both exist.
#[derive(Clone, Copy)]
pub(super) struct Phase {
    axis: Axis,
    pub(super) first: usize,
    pub(super) tap: usize,
    pub(super) output: usize,
}

impl Phase {
    /// How many `m` there are.
    pub(super) fn places(self) -> usize {
        let Axis { x, stride, .. } = self.axis;
        x.saturating_sub(self.first).div_ceil(stride)
    }

    /// How many `j` there are.
    pub(super) fn taps(self) -> usize {
        let Axis { filter, stride, .. } = self.axis;
        filter.saturating_sub(self.tap).div_ceil(stride)
    }

    /// All `m`, as runs of neighbours that have the same `j`.
    pub(super) fn runs(self) -> impl Iterator<Item = (Self, Run)> {
        let (y, taps) = (self.axis.y, self.taps());
        runs(self.places(), move |m| {
            let high = (self.output + m + 1).min(taps);
            let low = (self.output + m + 1).saturating_sub(y).min(high);
            low..high
        })
        .map(move |run| (self, run))
    }
}

fn runs(places: usize, taps: impl Fn(usize) -> Range<usize>) -> impl Iterator<Item = Run> {
    let mut start = 0;
    core::iter::from_fn(move || {
        if start >= places {
            return None;
        }
        let same = taps(start);
        let end = (start + 1..places)
            .find(|&o| taps(o) != same)
            .unwrap_or(places);
        let run = Run {
            places: start..end,
            taps: same,
        };
        start = end;
        Some(run)
    })
}

/// The places of a rectangle in raster order, as two offsets: into what is read and into what is
/// written.
#[derive(Clone)]
pub(super) struct Walk {
    columns: usize,
    column: usize,
    at: [usize; 2],
    step: [usize; 2],
    /// From the last of a row to the first of the next.
    wrap: [usize; 2],
}

impl Walk {
    /// From `start` on, `columns` in a row. The offsets of neighbours differ by `step` in a row and
    /// by `row` in a column.
    pub(super) fn new(
        columns: usize,
        start: [usize; 2],
        step: [usize; 2],
        row: [usize; 2],
    ) -> Self {
        let wrap = |i: usize| row[i].wrapping_sub(columns.wrapping_sub(1).wrapping_mul(step[i]));
        Self {
            columns,
            column: 0,
            at: start,
            step,
            wrap: [wrap(0), wrap(1)],
        }
    }

    /// The first of the next `n` places, all in one row.
    #[inline(always)]
    pub(super) fn take(&mut self, n: usize) -> [usize; 2] {
        let first = self.at;
        for i in 0..2 {
            let back = n.wrapping_sub(1).wrapping_mul(self.step[i]);
            self.at[i] = self.at[i].wrapping_add(back);
        }
        self.column += n - 1;
        self.next();
        first
    }

    /// The next place.
    #[inline(always)]
    pub(super) fn next(&mut self) -> [usize; 2] {
        let ([a, b], [da, db], [wrap_a, wrap_b]) = (self.at, self.step, self.wrap);
        self.column += 1;
        self.at = [a.wrapping_add(da), b.wrapping_add(db)];
        if self.column == self.columns {
            self.column = 0;
            self.at = [a.wrapping_add(wrap_a), b.wrapping_add(wrap_b)];
        }
        [a, b]
    }
}

/// The lengths of as few ranges of at most `most` as make `n`; they differ by one at most, so that no
/// short one is left over.
pub(super) fn even_lengths(n: usize, most: usize) -> impl Iterator<Item = usize> {
    let ranges = n.div_ceil(most);
    (0..ranges).map(move |range| n / ranges + usize::from(range < n % ranges))
}

/// `0..n` as ranges of [`even_lengths`].
pub(super) fn even(n: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    even_lengths(n, most).map(move |length| {
        end += length;
        end - length..end
    })
}

/// `places` as tiles: the first place of each, and how many they are. They have the `lengths`, the largest first, or
/// are one by one.
///
/// So that few kinds of tiles do, they overlap: a tile that would reach beyond the last place ends there, and computes
/// some places a second time. It does so only where the next shorter ones would be two.
#[inline(always)]
pub(super) fn tiles<const N: usize>(
    places: Range<usize>,
    lengths: [usize; N],
) -> impl Iterator<Item = (usize, usize)> {
    let mut next = places.start;
    core::iter::from_fn(move || {
        let rest = places.end.checked_sub(next).filter(|&rest| rest > 0)?;
        let mut length = 1;
        for (i, &tile) in lengths.iter().enumerate() {
            let shorter = lengths.get(i + 1).copied().unwrap_or_default();
            if tile <= places.len() && rest > shorter {
                length = tile;
                break;
            }
        }
        let first = next.min(places.end.saturating_sub(length));
        next = first + length;
        Some((first, length))
    })
}

/// How many scalars there are from the first to the last of `rows` rows of `row` scalars each,
/// `pitch` apart; `None` if there are no rows.
#[inline(always)]
pub(super) fn extent(rows: usize, pitch: usize, row: usize) -> Option<usize> {
    rows.checked_sub(1)?.checked_mul(pitch)?.checked_add(row)
}

#[cfg(test)]
mod tests {
    use super::tiles;

    #[test]
    fn tiles_reach_every_place_and_no_other() {
        for (start, count) in [0, 3]
            .into_iter()
            .flat_map(|start| (0..20).map(move |n| (start, n)))
        {
            let mut end = start;
            for (first, length) in tiles(start..start + count, [6, 4, 2]) {
                assert!(first >= start && first <= end && first + length > end);
                assert!([1, 2, 4, 6].contains(&length) && length <= count);
                end = first + length;
            }
            assert_eq!(end, start + count);
        }
        assert!(tiles(0..9, [6, 4, 2]).eq([(0, 6), (5, 4)]));
        assert!(tiles(0..8, [6, 4, 2]).eq([(0, 6), (6, 2)]));
        assert!(tiles(0..3, [4]).eq([(0, 1), (1, 1), (2, 1)]));
    }
}
