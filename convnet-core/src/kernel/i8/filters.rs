//! What has filters: `conv` in any number of groups, `fc`, and `depthwise`.
//!
//! Filters of a `conv` lie one after the other, `[filter][row][column][depth of a group]`, as in TensorFlow Lite;
//! those of a `depthwise`, and of any `conv` with as many groups as depths and filters, `[row][column][depth]`.

use super::{Multiplier, Quantization};
use crate::kernel::Sizes;

/// What a filter adds to its sum, and what it multiplies it by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Channel {
    /// The bias, in units of `scale of x · scale of the filter`.
    pub bias: i32,
    /// `scale of x · scale of the filter / scale of y`.
    pub by: Multiplier,
}

impl Channel {
    /// Nothing.
    pub const ZERO: Self = Self {
        bias: 0,
        by: Multiplier::ZERO,
    };
}

/// A layer with filters.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'a> {
    /// How they slide, over what; an `fc` is as large as its input.
    pub sizes: &'a Sizes,
    /// The filters.
    pub filters: &'a [i8],
    /// One a filter.
    pub channels: &'a [Channel],
    /// The zero point of x.
    pub x_zero: i8,
    /// What y stands for.
    pub y: Quantization,
}

impl Filters<'_> {
    /// `y[oy][ox][k]` of a `conv`, or of an `fc`.
    #[must_use]
    pub fn conv(&self, x: &[i8], y: &mut [i8]) -> Option<()> {
        let (sizes, zero) = (self.sizes, i32::from(self.x_zero));
        let &Sizes {
            x: [height, width, depth],
            filter: [fh, fw],
            y: [ho, wo, k],
            groups,
            ..
        } = sizes;
        let group_depth = depth.checked_div(groups)?;
        let group_filters = k.checked_div(groups)?;
        let len = fh * fw * group_depth;
        // Taps that lie side by side are one run.
        let (taps_a_run, run) = match (groups, sizes.dilation[1]) {
            (1, 1) => (fw, fw * depth),
            _ => (1, group_depth),
        };
        if run == 0 || group_filters == 0 || y.len() != ho * wo * k {
            return None;
        }
        let banks = self.filters.chunks_exact(len);
        if banks.len() != k || self.channels.len() != k {
            return None;
        }
        let mut pixels = y.chunks_exact_mut(k);
        for oy in 0..ho {
            for ox in 0..wo {
                let pixel = pixels.next()?;
                let all = pixel.iter_mut().zip(self.channels).zip(banks.clone());
                let mut left = group_filters;
                let mut start = 0;
                for ((y, channel), bank) in all {
                    if left == 0 {
                        (left, start) = (group_filters, start + group_depth);
                    }
                    left -= 1;
                    let mut sum = channel.bias;
                    for (at, bank) in bank.chunks_exact(run).enumerate() {
                        let (fy, fx) = match taps_a_run == fw {
                            true => (at, 0),
                            false => (at.checked_div(fw)?, at.checked_rem(fw)?),
                        };
                        let Some(iy) = sizes.input(0, oy, fy).filter(|&iy| iy < height) else {
                            continue;
                        };
                        let [first, skipped, count] = sizes.seen(ox, fx, taps_a_run, width);
                        if count == 0 {
                            continue;
                        }
                        let from = (iy * width + first) * depth + start;
                        let x = x.get(from..from + count * run / taps_a_run.max(1))?;
                        let bank = bank.get(skipped * group_depth..)?;
                        for (&x, &w) in x.iter().zip(bank) {
                            let product = (i32::from(x) - zero) * i32::from(w);
                            sum = sum.wrapping_add(product);
                        }
                    }
                    *y = self.y.stored(channel.by.times(sum));
                }
            }
        }
        Some(())
    }

    /// `y[oy][ox][d]` of a `depthwise`.
    #[must_use]
    pub fn depthwise(&self, x: &[i8], y: &mut [i8]) -> Option<()> {
        let (sizes, zero) = (self.sizes, i32::from(self.x_zero));
        let &Sizes {
            x: [height, width, depth],
            filter: [_, fw],
            y: [ho, wo, k],
            ..
        } = sizes;
        if k == 0 || depth != k || y.len() != ho * wo * k || self.channels.len() != k {
            return None;
        }
        let taps = self.filters.chunks_exact(depth);
        let mut pixels = y.chunks_exact_mut(k);
        for oy in 0..ho {
            for ox in 0..wo {
                let pixel = pixels.next()?;
                let parts = pixel.chunks_mut(PART).zip(self.channels.chunks(PART));
                for (part, (y, channels)) in parts.enumerate() {
                    let start = part * PART;
                    let mut sums = [0; PART];
                    for (sum, channel) in sums.iter_mut().zip(channels) {
                        *sum = channel.bias;
                    }
                    for (at, tap) in taps.clone().enumerate() {
                        let (fy, fx) = (at.checked_div(fw)?, at.checked_rem(fw)?);
                        let seen = sizes.input(0, oy, fy).zip(sizes.input(1, ox, fx));
                        let Some((iy, ix)) = seen.filter(|&(iy, ix)| iy < height && ix < width)
                        else {
                            continue;
                        };
                        let from = (iy * width + ix) * depth + start;
                        let x = x.get(from..from + y.len())?;
                        let tap = tap.get(start..)?;
                        for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(tap) {
                            let product = (i32::from(x) - zero) * i32::from(w);
                            *sum = sum.wrapping_add(product);
                        }
                    }
                    for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                        *y = self.y.stored(channel.by.times(sum));
                    }
                }
            }
        }
        Some(())
    }

    /// Depth columns by a factor and a bias each, in place: a `depthwise` of 1x1.
    #[must_use]
    pub fn scale(&self, v: &mut [i8]) -> Option<()> {
        let depth = self.filters.len();
        if depth == 0 || self.channels.len() != depth {
            return None;
        }
        for column in v.chunks_exact_mut(depth) {
            for ((v, &w), channel) in column.iter_mut().zip(self.filters).zip(self.channels) {
                let product = (i32::from(*v) - i32::from(self.x_zero)) * i32::from(w);
                let sum = channel.bias.wrapping_add(product);
                *v = self.y.stored(channel.by.times(sum));
            }
        }
        Some(())
    }
}

/// Depths of a `depthwise` that are summed at a time.
const PART: usize = 16;

impl Sizes {
    /// The row (axis 0) or column (1) of the input that `tap` of the window at output `o` meets; `None` above or
    /// left of it.
    pub(crate) fn input(&self, axis: usize, o: usize, tap: usize) -> Option<usize> {
        let [stride, dilation, before] = match axis {
            0 => [self.stride[0], self.dilation[0], self.before[0]],
            _ => [self.stride[1], self.dilation[1], self.before[1]],
        };
        (o * stride + tap * dilation).checked_sub(before)
    }

    /// Of `taps` taps from `tap` on at output column `ox`: the first column that they meet, how many do not meet
    /// one before it, and how many do.
    pub(super) fn seen(&self, ox: usize, tap: usize, taps: usize, width: usize) -> [usize; 3] {
        let at = ox * self.stride[1] + tap * self.dilation[1];
        let skipped = self.before[1].saturating_sub(at).min(taps);
        let first = (at + skipped).saturating_sub(self.before[1]).min(width);
        let count = (taps - skipped).min(width - first);
        [first, skipped, count]
    }
}
