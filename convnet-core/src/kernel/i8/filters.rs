//! What has filters: `conv` in any number of groups, `fc`, and `depthwise`.
//!
//! Filters of a `conv` lie one after the other, `[filter][row][column][depth of a group]`, as in TensorFlow Lite;
//! those of a `depthwise`, and of any `conv` with as many groups as depths and filters, `[row][column][depth]`.

use super::dot::{FILTERS, dot};
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
        let sizes = self.sizes;
        let [ho, wo, k] = sizes.y;
        let depth = sizes.x[2].checked_div(sizes.groups)?;
        let of_group = k.checked_div(sizes.groups)?;
        let len = sizes.filter[0] * sizes.filter[1] * depth;
        let [bank, block] = [of_group * len, FILTERS * len];
        let fits = y.len() == ho * wo * k && self.channels.len() == k;
        // Of nothing there are no chunks.
        if k == 0 || of_group == 0 || bank == 0 || block == 0 || !fits {
            return None;
        }
        let mut room = [0; WINDOW];
        // Laid out once, a window is one run for all filters.
        let mut laid_out = room.get_mut(..len).filter(|_| sizes.groups == 1);
        let mut pixels = y.chunks_exact_mut(k);
        for oy in 0..ho {
            for ox in 0..wo {
                if let Some(room) = &mut laid_out {
                    self.lay_out([oy, ox], x, room)?;
                }
                let groups = pixels.next()?.chunks_exact_mut(of_group);
                let groups = groups.zip(self.channels.chunks_exact(of_group));
                let groups = groups.zip(self.filters.chunks_exact(bank));
                for (group, ((y, channels), bank)) in groups.enumerate() {
                    let blocks = y.chunks_mut(FILTERS).zip(channels.chunks(FILTERS));
                    for ((y, channels), block) in blocks.zip(bank.chunks(block)) {
                        let mut sums = [0; FILTERS];
                        for (sum, channel) in sums.iter_mut().zip(channels) {
                            *sum = channel.bias;
                        }
                        let banks = banks(block, len)?;
                        match &laid_out {
                            Some(window) => dot(window, self.x_zero, banks, &mut sums),
                            None => self.runs([oy, ox], depth, |from, at, count| {
                                let x = x.get(from + group * depth..)?.get(..count)?;
                                let mut runs = [x; FILTERS];
                                for (run, bank) in runs.iter_mut().zip(banks) {
                                    *run = bank.get(at..)?.get(..count)?;
                                }
                                dot(x, self.x_zero, runs, &mut sums);
                                Some(())
                            })?,
                        }
                        for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                            *y = self.y.stored(channel.by.times(sum));
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// A window, with the zero point where it hangs over.
    fn lay_out(&self, pixel: [usize; 2], x: &[i8], to: &mut [i8]) -> Option<()> {
        to.fill(self.x_zero);
        self.runs(pixel, self.sizes.x[2], |from, at, count| {
            let from = x.get(from..)?.get(..count)?;
            let to = to.get_mut(at..)?.get_mut(..count)?;
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            Some(())
        })
    }

    /// Calls `run` with each run of bytes that a window sees: where it begins in x and in a filter, and how long it
    /// is. A filter sees `depth` bytes of a depth column.
    #[inline(always)]
    fn runs(
        &self,
        [oy, ox]: [usize; 2],
        depth: usize,
        mut run: impl FnMut(usize, usize, usize) -> Option<()>,
    ) -> Option<()> {
        let sizes = self.sizes;
        let ([height, width, whole], [fh, fw]) = (sizes.x, sizes.filter);
        // Taps that lie side by side are one run.
        let taps = match (sizes.groups, sizes.dilation[1]) {
            (1, 1) => fw.max(1),
            _ => 1,
        };
        for fy in 0..fh {
            let Some(iy) = sizes.input(0, oy, fy).filter(|&iy| iy < height) else {
                continue;
            };
            let mut fx = 0;
            while fx < fw {
                let [column, skipped, count] = sizes.seen(ox, fx, taps, width);
                if count > 0 {
                    let from = (iy * width + column) * whole;
                    run(from, (fy * fw + fx + skipped) * depth, count * depth)?;
                }
                fx += taps;
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

/// The filters of a block, of `len` bytes each; of missing ones, the first again.
#[inline(always)]
fn banks(block: &[i8], len: usize) -> Option<[&[i8]; FILTERS]> {
    let mut banks = [block.get(..len)?; FILTERS];
    for (at, bank) in banks.iter_mut().enumerate() {
        if let Some(own) = block.get(at * len..).and_then(|rest| rest.get(..len)) {
            *bank = own;
        }
    }
    Some(banks)
}

/// The largest window that is laid out on the stack, in bytes.
const WINDOW: usize = 512;

/// Depths of a `depthwise`, or of a pool, that are summed at a time.
pub(super) const PART: usize = 16;

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
