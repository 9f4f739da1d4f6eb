//! Pools: what they write stands for the same as what they read.

use super::Quantization;
use super::filters::PART;
use crate::kernel::Sizes;

/// A pool; padding is not there.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// How its windows slide.
    pub sizes: &'a Sizes,
    /// What x and y stand for, and the bounds of y.
    pub y: Quantization,
}

impl Pool<'_> {
    /// The largest of each window.
    #[must_use]
    pub fn max(&self, x: &[i8], y: &mut [i8]) -> Option<()> {
        self.each(x, y, i8::MIN.into(), i32::max, |most, _| Some(most))
    }

    /// The average of each window, rounded, a half away from zero.
    #[must_use]
    pub fn avg(&self, x: &[i8], y: &mut [i8]) -> Option<()> {
        let average = |sum: i32, count: i32| {
            let half = if sum > 0 { count / 2 } else { -(count / 2) };
            sum.wrapping_add(half).checked_div(count)
        };
        self.each(x, y, 0, i32::wrapping_add, average)
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
        let mut pixels = y.chunks_exact_mut(k);
        for oy in 0..ho {
            for ox in 0..wo {
                for (part, y) in pixels.next()?.chunks_mut(PART).enumerate() {
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
