//! Four windows at a time, laid out one behind the other: how a machine computes that multiplies sixteen bytes at once.
//!
//! ```text
//!  windows   x₀ x₁ … x₇₄ │ … pixel 1 │ … pixel 2 │ … pixel 3        bytes as they are, the zero point over borders
//!  filters   a₀ a₁ … a₇₄ │ b₀ b₁ … b₇₄ │ …                          one after the other, as in a file
//!  sums      Σ x·a of each window, and Σ a: Σ (x − zero)·a = Σ x·a − zero·Σ a
//! ```
//!
//! Four pixels of a row, or the four of a 2x2 pool, of which the largest sum is stored. The loops here are those of every
//! machine, by which tests compare them with `filters`; `helium` has Cortex-M55's.

use super::filters::{PART, WINDOW};
use super::{Channel, Filters};
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::kernel::window::{Axis, extent};

/// How many there are.
pub(super) const WINDOWS: usize = 4;

/// Of each window the sums of so many filters, then their weights.
pub(super) type Sums = [[i32; PART]; WINDOWS + 1];

impl Filters<'_> {
    /// Whether a row is computed by [`row_of_windows`](Self::row_of_windows): four windows are not too large, and there
    /// are four.
    pub(super) fn has_windows(&self, len: usize, side: usize) -> bool {
        let are_four = side == 2 || side == 1 && self.sizes.y[1] >= WINDOWS;
        self.sizes.groups == 1 && are_four && WINDOWS * len <= WINDOW
    }

    /// As [`row`](Self::row), of `side` one or two.
    pub(super) fn row_of_windows(
        &self,
        x: &[i8],
        oy: usize,
        side: usize,
        y: &mut [i8],
    ) -> Option<()> {
        let ([fh, fw], depth, k) = (self.sizes.filter, self.sizes.x[2], self.sizes.y[2]);
        let len = fh * fw * depth;
        let (mut room, mut sums) = ([0; WINDOW], [[0; PART]; WINDOWS + 1]);
        let room = room.get_mut(..WINDOWS * len)?;
        let columns = y.len().checked_div(k)?;
        // Pixels of y.
        let count = if side == 1 { WINDOWS } else { 1 };
        for ox in (0..columns).step_by(count) {
            // The last ones compute some pixels again.
            let first = ox.min(columns.checked_sub(count)?);
            let pixel = |p: usize| match side {
                1 => [oy, first + p],
                _ => [2 * oy + p / 2, 2 * first + p % 2],
            };
            if self
                .lay_inner([pixel(0), pixel(WINDOWS - 1)], x, room)
                .is_none()
            {
                for (p, window) in pieces_mut(room, len).enumerate() {
                    self.lay_rows(pixel(p), x, window)?;
                }
            }
            let filters = pieces(self.filters, PART * len);
            let blocks = pieces(self.channels, PART).zip(filters);
            for (block, (channels, filters)) in blocks.enumerate() {
                multiply(room, filters, len, &mut sums);
                let [a, b, c, d, weights] = &mut sums;
                let weights = weights.map(|sum| sum.wrapping_mul(i32::from(self.x_zero)));
                let mut at = first * k + block * PART;
                let windows = [a, b, c, d];
                if side == 1 {
                    for sums in windows {
                        less(sums, &weights);
                        self.store(channels, sums, y.get_mut(at..)?);
                        at += k;
                    }
                } else {
                    let [most, rest @ ..] = windows;
                    for sums in rest {
                        most.iter_mut()
                            .zip(sums)
                            .for_each(|(most, sum)| *most = *sum.max(most));
                    }
                    less(most, &weights);
                    self.store(channels, most, y.get_mut(at..)?);
                }
            }
        }
        Some(())
    }

    /// All four, from the first pixel's to the last one's, if they lie within x and their rows are short.
    fn lay_inner(&self, [first, last]: [[usize; 2]; 2], x: &[i8], to: &mut [i8]) -> Option<()> {
        let sizes = self.sizes;
        let ([_, width, depth], [fh, fw]) = (sizes.x, sizes.filter);
        let start = |axis: Axis, first: usize, last: usize| {
            let at = |o: usize| (o * axis.stride).checked_sub(axis.before);
            (at(last)? + axis.filter <= axis.x).then_some(at(first)?)
        };
        let top = start(sizes.axis::<0>(), first[0], last[0])?;
        let left = start(sizes.axis::<1>(), first[1], last[1])?;
        let rows = Rows {
            pitch: width * depth,
            count: fh,
            len: fw * depth,
        };
        if sizes.dilation != [1, 1] || rows.len > SHORT {
            return None;
        }
        let right = sizes.stride[1] * depth;
        let on = match first[0] == last[0] {
            true => right,
            false => (sizes.stride[0] * rows.pitch).checked_sub(right)?,
        };
        let x = x.get(top * rows.pitch + left * depth..)?;
        copy_windows([right, on], &rows, x, to)
    }

    /// As [`lay_out`](Self::lay_out), whose rows are whole.
    fn lay_rows(&self, pixel: [usize; 2], x: &[i8], to: &mut [i8]) -> Option<()> {
        let (sizes, [oy, ox]) = (self.sizes, pixel);
        let ([height, width, depth], [fh, fw]) = (sizes.x, sizes.filter);
        if sizes.dilation != [1, 1] {
            return self.lay_out(pixel, x, to);
        }
        let [column, skipped, count] = sizes.seen(ox, 0, fw, width);
        let top = oy * sizes.stride[0];
        let above = sizes.before[0].saturating_sub(top).min(fh);
        let below = (height + sizes.before[0]).saturating_sub(top).min(fh);
        let rows = below.saturating_sub(above);
        if rows < fh || count < fw {
            to.fill(self.x_zero);
        }
        if rows > 0 && count > 0 {
            let row = (top + above).checked_sub(sizes.before[0])?;
            let x = x.get((row * width + column) * depth..)?;
            let to = to.get_mut((above * fw + skipped) * depth..)?;
            copy_rows([width * depth, fw * depth], rows, count * depth, x, to)?;
        }
        Some(())
    }

    /// What is stored of sums without a bias, each of a channel of its own.
    #[inline(always)]
    pub(super) fn store(&self, channels: &[Channel], sums: &[i32; PART], y: &mut [i8]) {
        #[cfg(helium)]
        super::helium::store(channels, &self.y, sums, y);
        #[cfg(not(helium))]
        store(channels, &self.y, sums, y);
    }
}

fn less(sums: &mut [i32; PART], weights: &[i32; PART]) {
    for (sum, weights) in sums.iter_mut().zip(weights) {
        *sum = sum.wrapping_sub(*weights);
    }
}

/// So many rows of `len` bytes, as far from each other as the pitches of x and y say.
#[inline(always)]
fn copy_rows(pitches: [usize; 2], rows: usize, len: usize, x: &[i8], y: &mut [i8]) -> Option<()> {
    let [x_end, y_end] = pitches.map(|pitch| extent(rows, pitch, len));
    let (x, y) = (x.get(..x_end?)?, y.get_mut(..y_end?)?);
    #[cfg(helium)]
    super::helium::copy_rows(pitches, rows, len, x, y);
    #[cfg(not(helium))]
    for (x, y) in pieces(x, pitches[0]).zip(pieces_mut(y, pitches[1])) {
        y.iter_mut().zip(x).take(len).for_each(|(y, x)| *y = *x);
    }
    Some(())
}

/// The bytes of a row that are copied at once.
pub(super) const SHORT: usize = 16;

/// The rows of a window.
pub(super) struct Rows {
    /// From one to the next in x.
    pub(super) pitch: usize,
    pub(super) count: usize,
    pub(super) len: usize,
}

/// Four windows, one behind the other: from the first to the second, and from the third to the last, x is so many bytes
/// to the `right`; from the second to the third, so many `on`. Rows are [`SHORT`] at most.
#[inline(always)]
fn copy_windows([right, on]: [usize; 2], rows: &Rows, x: &[i8], y: &mut [i8]) -> Option<()> {
    #[cfg(helium)]
    return super::helium::copy_windows([right, on], rows, x, y);
    #[cfg(not(helium))]
    {
        let &Rows { pitch, count, len } = rows;
        let starts = [0, right, right + on, right + on + right];
        for (start, y) in starts.into_iter().zip(pieces_mut(y, count * len)) {
            copy_rows([pitch, len], count, len, x.get(start..)?, y)?;
        }
        Some(())
    }
}

/// Of each filter, the sums of its products with the windows, and its weights.
#[inline(always)]
fn multiply(windows: &[i8], filters: &[i8], len: usize, sums: &mut Sums) {
    #[cfg(helium)]
    super::helium::multiply(windows, filters, len, sums);
    #[cfg(not(helium))]
    sums.as_flattened_mut().fill(0);
    #[cfg(not(helium))]
    for (at, filter) in pieces(filters, len).enumerate() {
        let mut add = |to: usize, x: i8, w: i8| {
            if let Some(sum) = sums.get_mut(to).and_then(|sums| sums.get_mut(at)) {
                *sum = sum.wrapping_add(i32::from(x) * i32::from(w));
            }
        };
        for (p, window) in pieces(windows, len).enumerate() {
            window.iter().zip(filter).for_each(|(&x, &w)| add(p, x, w));
        }
        filter.iter().for_each(|&w| add(WINDOWS, 1, w));
    }
}

#[cfg(not(helium))]
fn store(channels: &[Channel], to: &super::Quantization, sums: &[i32; PART], y: &mut [i8]) {
    for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
        *y = to.stored(channel.by.times(channel.bias.wrapping_add(*sum)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::kernel::Sizes;
    use crate::kernel::i8::{Multiplier, Quantization};

    #[test]
    fn rows_of_windows_are_rows() {
        let mut rng = Rng::new(16);
        for case in 0..200 {
            let side = 1 + case % 2;
            let ([fh, fw], depth, k) = (
                [1 + rng.below(3), 1 + rng.below(3)],
                1 + rng.below(12),
                1 + rng.below(20),
            );
            let [height, width] = [4 + 2 * rng.below(3), 4 + 2 * rng.below(4)];
            let stride = [1 + rng.below(2), 1 + rng.below(2)];
            let sizes = Sizes {
                x: [
                    1 + (height - 1) * stride[0],
                    1 + (width - 1) * stride[1],
                    depth,
                ],
                filter: [fh, fw],
                stride,
                dilation: [1, 1],
                before: [rng.below(fh), rng.below(fw)],
                y: [height, width, k],
                groups: 1,
            };
            let mut bytes = |len: usize| (0..len).map(|_| rng.next_u64() as i8).collect::<Vec<_>>();
            let (x, filters) = (bytes(sizes.x.iter().product()), bytes(k * fh * fw * depth));
            let channels: Vec<_> = (0..k)
                .map(|at| Channel {
                    bias: rng.next_u64() as i32 >> 16,
                    by: Multiplier::of([0.004, 0.3, 1.7, 0.0][(at + case) % 4]),
                })
                .collect();
            let layer = Filters {
                sizes: &sizes,
                filters: &filters,
                channels: &channels,
                x_zero: rng.next_u64() as i8,
                y: Quantization {
                    upper: 100,
                    ..Quantization::new(1.0, rng.next_u64() as i8)
                },
            };
            assert!(layer.has_windows(fh * fw * depth, side));
            for oy in 0..height / side {
                let mut rows = [vec![0; width / side * k], vec![1; width / side * k]];
                let [is, expected] = &mut rows;
                assert!(layer.row_of_windows(&x, oy, side, is).is_some());
                assert!(layer.row(&x, oy, side, expected).is_some());
                assert_eq!(is, expected, "{sizes:?}, row {oy} of side {side}");
            }
        }
    }
}
