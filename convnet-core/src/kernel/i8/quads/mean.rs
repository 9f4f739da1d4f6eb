//! The mean of a whole volume, in vectors.

use super::{AT_ONCE, Dots, Ends, Machine, with};
use crate::kernel::i8::{Multiplier, Quantization};
use crate::kernel::pieces::pieces;

/// [`Pool::mean`](crate::kernel::i8::Pool::mean) of all pixels, ready for a machine.
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    ends: Ends,
    y: Quantization,
}

/// So many pixels have sums that are [narrow](Ends::is_narrow).
const MOST: usize = 1 << 22;

impl Mean {
    /// Of so many pixels, with such a zero point; `None` if vectors do not know them.
    #[must_use]
    pub fn new(pixels: usize, by: Multiplier, x_zero: i8, y: Quantization) -> Option<Self> {
        let count = i32::try_from(pixels).ok().filter(|_| pixels < MOST)?;
        let ends = Ends::of_all(-count * i32::from(x_zero), by, y.zero);
        ends.is_narrow.then_some(Self { ends, y })
    }

    /// Of each depth of `x`, as many as `y` has; `None` if there are fewer than a vector.
    #[must_use]
    pub fn forward(&self, machine: Machine, x: &[i8], y: &mut [i8]) -> Option<()> {
        with!(machine, dots => self.all(dots, x, y))
    }

    fn all<D: Dots>(&self, dots: D, x: &[i8], y: &mut [i8]) -> Option<()> {
        dots.vectorize(
            #[inline(always)]
            || match y.len() < AT_ONCE * D::LANES {
                true => self.depths::<D, 1>(dots, x, y),
                false => self.depths::<D, AT_ONCE>(dots, x, y),
            },
        )
    }

    /// N vectors at a time, of which the last compute some depths again.
    #[inline(always)]
    fn depths<D: Dots, const N: usize>(&self, dots: D, x: &[i8], y: &mut [i8]) -> Option<()> {
        let (depth, all) = (y.len(), N * D::LANES);
        let last = depth.checked_sub(all)?;
        for at in (0..depth).step_by(all) {
            let at = at.min(last);
            // SAFETY: there are sixteen numbers, of which LANES are as many at most.
            let mut sums = [unsafe { dots.start(self.ends.start.as_ptr()) }; N];
            for pixel in pieces(x, depth) {
                let bytes = pixel.get(at..)?.get(..all)?;
                for (n, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: n < N, and there are N·LANES bytes.
                    *sum =
                        unsafe { dots.plus(*sum, dots.widened(bytes.as_ptr().add(n * D::LANES))) };
                }
            }
            for sum in &mut sums {
                // SAFETY: there are sixteen filters.
                *sum = unsafe { dots.narrowed(*sum, &self.ends, 0) };
            }
            let bounds = [self.y.lower, self.y.upper];
            // SAFETY: at + N·LANES <= depth, which y has.
            unsafe { dots.write(sums, bounds, y.as_mut_ptr().add(at)) };
        }
        Some(())
    }
}
