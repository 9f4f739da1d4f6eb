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
    /// Rows (0) or columns (1).
    pub(super) fn axis(&self, axis: usize) -> Axis {
        Axis {
            x: self.x[axis],
            filter: self.filter[axis],
            stride: self.stride[axis],
            before: self.before[axis],
            y: self.y[axis],
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
        let low = self
            .before
            .saturating_sub(tap)
            .div_ceil(self.stride)
            .min(self.y);
        let high = (self.x + self.before)
            .saturating_sub(tap)
            .div_ceil(self.stride)
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
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) places: Range<usize>,
    pub(super) taps: Range<usize>,
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
    /// All `m`, as runs of neighbours that have the same `j`.
    pub(super) fn runs(self) -> impl Iterator<Item = Run> {
        let Axis {
            x,
            filter,
            stride,
            y,
            ..
        } = self.axis;
        let taps = filter.saturating_sub(self.tap).div_ceil(stride);
        runs(x.saturating_sub(self.first).div_ceil(stride), move |m| {
            let high = (self.output + m + 1).min(taps);
            let low = (self.output + m + 1).saturating_sub(y).min(high);
            low..high
        })
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

/// The places of a rectangle in raster order, in groups of at most `most` that differ by one at
/// most in size: no small group is left over.
pub(super) fn groups(
    [rows, columns]: [Range<usize>; 2],
    most: usize,
) -> impl Iterator<Item = (usize, [[usize; 2]; 8])> {
    let mut left = rows.len() * columns.len();
    let (mut y, mut x) = (rows.start, columns.start);
    core::iter::from_fn(move || {
        let size = left.div_ceil(left.div_ceil(most).max(1));
        left -= size;
        let mut places = [[0; 2]; 8];
        for place in places.iter_mut().take(size) {
            *place = [y, x];
            x += 1;
            if x == columns.end {
                (y, x) = (y + 1, columns.start);
            }
        }
        (size > 0).then_some((size, places))
    })
}
