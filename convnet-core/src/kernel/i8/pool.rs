//! Pools: what they write stands for the same as what they read, but for means of a whole volume.

use super::filters::PART;
use super::{Multiplier, Quantization};
use crate::kernel::Sizes;
use crate::kernel::pieces::{pieces, pieces_mut};

/// A pool; padding is not there.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// How its windows slide.
    pub sizes: &'a Sizes,
    /// What x and y stand for, and the bounds of y.
    pub y: Quantization,
}

/// Each the larger of what it is and what `x` is.
#[inline(always)]
fn larger(most: &mut [i8; PART], x: &[i8; PART]) {
    #[cfg(dsp)]
    super::dsp::larger(most, x);
    #[cfg(not(dsp))]
    most.iter_mut()
        .zip(x)
        .for_each(|(most, x)| *most = (*most).max(*x));
}

impl Pool<'_> {
    /// The largest of each window.
    #[must_use]
    #[inline(always)]
    pub fn max(&self, x: &[i8], y: &mut [i8]) -> Option<()> {
        let [_, width, depth] = self.sizes.x;
        let (of_x, of_y) = (width * depth, self.sizes.y[1] * self.sizes.y[2]);
        if of_y == 0 || y.len() != self.sizes.y[0] * of_y {
            return None;
        }
        for (oy, y) in pieces_mut(y, of_y).enumerate() {
            self.max_row(oy, y, |iy| x.get(iy * of_x..)?.get(..of_x))?;
        }
        Some(())
    }

    /// The largest of each window of a row, of rows that `rows` knows.
    #[must_use]
    #[inline(always)]
    pub(super) fn max_row<'x>(
        &self,
        oy: usize,
        y: &mut [i8],
        rows: impl Fn(usize) -> Option<&'x [i8]>,
    ) -> Option<()> {
        let &Sizes {
            x: [height, width, depth],
            filter: [fh, fw],
            dilation,
            y: [_, _, k],
            ..
        } = self.sizes;
        if k == 0 || depth != k || dilation != [1, 1] {
            return None;
        }
        // The rows, or the columns, that a window sees.
        let seen = |axis: usize, o: usize, f: usize, all: usize| {
            let first = self.sizes.input(axis, o, 0).unwrap_or(0);
            let end = self.sizes.input(axis, o, f).unwrap_or(0).min(all);
            first.min(end)..end
        };
        y.fill(i8::MIN);
        for iy in seen(0, oy, fh, height) {
            let row = rows(iy)?;
            for (ox, y) in pieces_mut(y, k).enumerate() {
                let columns = seen(1, ox, fw, width);
                let x = row.get(columns.start * depth..columns.end * depth)?;
                let (parts, rest) = y.as_chunks_mut::<PART>();
                let mut at = 0;
                for y in parts {
                    let (mut most, mut x) = (*y, x.get(at..)?);
                    while let Some(tap) = x.first_chunk::<PART>() {
                        larger(&mut most, tap);
                        x = x.get(depth..).unwrap_or_default();
                    }
                    *y = most;
                    at += PART;
                }
                if rest.is_empty() {
                    continue;
                }
                for tap in pieces(x, depth) {
                    let tap = rest.iter_mut().zip(tap.get(at..)?);
                    tap.for_each(|(y, &x)| *y = x.max(*y));
                }
            }
        }
        if [self.y.lower, self.y.upper] != [i8::MIN, i8::MAX] {
            y.iter_mut().for_each(|y| *y = self.y.clamped((*y).into()));
        }
        Some(())
    }

    /// The average of each window, rounded, a half away from zero.
    #[must_use]
    #[inline(always)]
    pub fn avg(&self, x: &[i8], y: &mut [i8]) -> Option<()> {
        let average = |sum: i32, count: i32| {
            let half = if sum > 0 { count / 2 } else { -(count / 2) };
            sum.wrapping_add(half).checked_div(count)
        };
        self.each(x, y, 0, i32::wrapping_add, average)
    }

    /// The mean of each window in steps of its own, where x has the zero point `x_zero`, and its sum is multiplied
    /// [`by`](Multiplier::of_mean) that.
    #[must_use]
    #[inline(always)]
    pub fn mean(&self, (x, x_zero): (&[i8], i8), by: Multiplier, y: &mut [i8]) -> Option<()> {
        let mean = |sum: i32, count: i32| {
            let sum = sum.wrapping_sub(count.wrapping_mul(x_zero.into()));
            Some(by.times(sum).wrapping_add(self.y.zero.into()))
        };
        self.each(x, y, 0, i32::wrapping_add, mean)
    }

    /// Each depth of each window, folded.
    #[inline(always)]
    fn each(
        &self,
        x: &[i8],
        y: &mut [i8],
        first: i32,
        fold: impl Fn(i32, i32) -> i32,
        end: impl Fn(i32, i32) -> Option<i32>,
    ) -> Option<()> {
        let &Sizes {
            x: [height, width, depth],
            filter: [fh, fw],
            y: [ho, wo, k],
            ..
        } = self.sizes;
        if k == 0 || depth != k || y.len() != ho * wo * k {
            return None;
        }
        let mut pixels = pieces_mut(y, k);
        for oy in 0..ho {
            for ox in 0..wo {
                for (part, y) in pieces_mut(pixels.next()?, PART).enumerate() {
                    let (mut all, mut count) = ([first; PART], 0);
                    for fy in 0..fh {
                        let Some(iy) = self.sizes.input(0, oy, fy).filter(|&iy| iy < height) else {
                            continue;
                        };
                        for fx in 0..fw {
                            let Some(ix) = self.sizes.input(1, ox, fx).filter(|&ix| ix < width)
                            else {
                                continue;
                            };
                            let from = (iy * width + ix) * depth + part * PART;
                            let x = x.get(from..)?.get(..y.len())?;
                            for (all, &x) in all.iter_mut().zip(x) {
                                *all = fold(*all, x.into());
                            }
                            count += 1;
                        }
                    }
                    for (y, all) in y.iter_mut().zip(all) {
                        *y = self.y.clamped(end(all, count)?);
                    }
                }
            }
        }
        Some(())
    }
}
