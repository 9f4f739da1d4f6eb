//! What has filters: `conv` in any number of groups, `fc`, and `depthwise`.
//!
//! Filters of a `conv` lie one after the other, `[filter][row][column][depth of a group]`, as in TensorFlow Lite;
//! those of a `depthwise`, and of any `conv` with as many groups as depths and filters, `[row][column][depth]`.

use super::dot::{FILTERS, dot};
use super::packed::pools_sums;
use super::rows::by_rows;
use super::{Multiplier, Quantization};
use crate::kernel::Sizes;
use crate::kernel::pieces::{pieces, pieces_mut};

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
        by_rows(self.sizes, None, &mut [], y, |oy, y| {
            self.conv_row(x, oy, y)
        })
    }

    /// `y[oy]` of a `conv`, or of an `fc`.
    #[must_use]
    pub fn conv_row(&self, x: &[i8], oy: usize, y: &mut [i8]) -> Option<()> {
        self.row(x, oy, 1, y)
    }

    /// Whether the pool behind a `conv` can take [`row`](Self::row)s of two: windows of 2x2 side by side, of which all
    /// four are laid out.
    pub(crate) fn pools(&self, pool: Option<&Sizes>) -> bool {
        let ([fh, fw], depth) = (self.sizes.filter, self.sizes.x[2]);
        let fits = self.sizes.groups == 1 && 4 * fh * fw * depth <= WINDOW;
        fits && pools_sums(self.sizes, pool)
    }

    /// `y[oy]`, each the largest of `side` by `side` windows: of the sums, before they are bytes.
    #[must_use]
    pub(crate) fn row(&self, x: &[i8], oy: usize, side: usize, y: &mut [i8]) -> Option<()> {
        let sizes = self.sizes;
        let k = sizes.y[2];
        let depth = sizes.x[2].checked_div(sizes.groups)?;
        let of_group = k.checked_div(sizes.groups)?;
        let len = sizes.filter[0] * sizes.filter[1] * depth;
        let [bank, block] = [of_group * len, FILTERS * len];
        // Of nothing there are no chunks.
        if k == 0 || of_group == 0 || bank == 0 || block == 0 || self.channels.len() != k {
            return None;
        }
        if cfg!(helium) && self.has_windows(len, side) {
            return self.row_of_windows(x, oy, side, y);
        }
        let mut room = [0; WINDOW];
        // Laid out once, a window is one run for all filters.
        let windows = room.get_mut(..side * side * len);
        let mut laid_out = windows.filter(|_| sizes.groups == 1);
        for (ox, pixel) in pieces_mut(y, k).enumerate() {
            if let Some(room) = &mut laid_out {
                let mut windows = pieces_mut(room, len);
                for (dy, dx) in (0..side).flat_map(|dy| (0..side).map(move |dx| (dy, dx))) {
                    let pixel = [oy * side + dy, ox * side + dx];
                    self.lay_out(pixel, x, windows.next()?)?;
                }
            }
            let groups = pieces_mut(pixel, of_group);
            let groups = groups.zip(pieces(self.channels, of_group));
            let groups = groups.zip(pieces(self.filters, bank));
            for (group, ((y, channels), bank)) in groups.enumerate() {
                let blocks = pieces_mut(y, FILTERS).zip(pieces(channels, FILTERS));
                for ((y, channels), block) in blocks.zip(pieces(bank, block)) {
                    let mut sums = [0; FILTERS];
                    for (sum, channel) in sums.iter_mut().zip(channels) {
                        *sum = channel.bias;
                    }
                    let banks = banks(block, len)?;
                    match &laid_out {
                        Some(room) => {
                            let (start, mut windows) = (sums, pieces(room, len));
                            dot(windows.next()?, self.x_zero, banks, &mut sums);
                            for window in windows {
                                let mut own = start;
                                dot(window, self.x_zero, banks, &mut own);
                                for (most, own) in sums.iter_mut().zip(own) {
                                    *most = own.max(*most);
                                }
                            }
                        }
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
        Some(())
    }

    /// A window, with the zero point where it hangs over.
    pub(super) fn lay_out(&self, pixel: [usize; 2], x: &[i8], to: &mut [i8]) -> Option<()> {
        let mut end = 0;
        self.runs(pixel, self.sizes.x[2], |from, at, count| {
            let from = x.get(from..)?.get(..count)?;
            // What lies between this run and the one before is not there.
            to.get_mut(end..at)?.fill(self.x_zero);
            end = at + count;
            let to = to.get_mut(at..end)?;
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            Some(())
        })?;
        to.get_mut(end..)?.fill(self.x_zero);
        Some(())
    }

    /// Calls `run` with each run of bytes that a window sees: where it begins in x and in a filter, and how long it
    /// is. A filter sees `depth` bytes of a depth column.
    #[inline(always)]
    pub(super) fn runs(
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
        let &Sizes {
            x: [height, width, depth],
            filter: [fh, fw],
            dilation,
            y: [ho, wo, k],
            ..
        } = self.sizes;
        if k == 0 || depth != k || y.len() != ho * wo * k || self.channels.len() != k {
            return None;
        }
        let zero = i32::from(self.x_zero);
        for (at, pixel) in pieces_mut(y, k).enumerate() {
            let (oy, ox) = (at.checked_div(wo)?, at.checked_rem(wo)?);
            let mut start = 0;
            let parts = pieces_mut(pixel, PART).zip(pieces(self.channels, PART));
            for (y, channels) in parts {
                let mut sums = [0; PART];
                for (sum, channel) in sums.iter_mut().zip(channels) {
                    *sum = channel.bias;
                }
                for fy in 0..fh {
                    let row = self.sizes.input(0, oy, fy).filter(|&iy| iy < height);
                    let Some(iy) = row else { continue };
                    for fx in 0..fw {
                        let column = ox * self.sizes.stride[1] + fx * dilation[1];
                        let column = column.checked_sub(self.sizes.before[1]);
                        let Some(ix) = column.filter(|&ix| ix < width) else {
                            continue;
                        };
                        let x = x.get((iy * width + ix) * depth + start..)?;
                        let tap = self.filters.get((fy * fw + fx) * depth + start..)?;
                        if let (Some(x), Some(tap)) = (x.first_chunk(), tap.first_chunk()) {
                            add_products::<PART>(&mut sums, x, zero, tap);
                            continue;
                        }
                        for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(tap) {
                            *sum = sum.wrapping_add((i32::from(x) - zero) * i32::from(w));
                        }
                    }
                }
                for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                    *y = self.y.stored(channel.by.times(sum));
                }
                start += PART;
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
        for column in pieces_mut(v, depth) {
            for ((v, &w), channel) in column.iter_mut().zip(self.filters).zip(self.channels) {
                let product = (i32::from(*v) - i32::from(self.x_zero)) * i32::from(w);
                let sum = channel.bias.wrapping_add(product);
                *v = self.y.stored(channel.by.times(sum));
            }
        }
        Some(())
    }
}

/// Each sum grows by a product of its own.
#[inline(always)]
fn add_products<const N: usize>(sums: &mut [i32; N], x: &[i8; N], zero: i32, tap: &[i8; N]) {
    for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(tap) {
        *sum = sum.wrapping_add((i32::from(x) - zero) * i32::from(w));
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
pub(super) const WINDOW: usize = 512;

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
