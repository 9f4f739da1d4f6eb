//! `depthwise`: rows lie side by side, so that a quad is four taps of one depth.
//!
//! ```text
//!  four rows of x    a0 a1 a2 …   b0 b1 b2 …   c0 c1 c2 …   d0 d1 d2 …
//!  laid out          a0 b0 c0 d0 │ a1 b1 c1 d1 │ a2 b2 c2 d2 │ …            for each column
//! ```
//!
//! A column is laid out once for a row of y, and read by each window that sees it.

use super::conv::put;
use super::ends::write;
use super::{Block, Dots, Ends, FILTERS, Machine, QUAD, with};
use crate::kernel::Sizes;
use crate::kernel::i8::{Channel, Quantization};
use crate::kernel::pieces::pieces_mut;

/// A `depthwise` whose filters are packed: `[16 depths][column][4 rows]`.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise<'a> {
    machine: Machine,
    sizes: &'a Sizes,
    blocks: &'a [Block],
    ends: &'a [Ends],
    x_zero: i8,
    y: Quantization,
}

/// Blocks of filters, their ends, and blocks to lay a row out in; `None` of sizes that no volume has.
pub fn memory(sizes: &Sizes) -> Option<[usize; 3]> {
    let ([_, width, depth], [fh, fw], [_, wo, k]) = (sizes.x, sizes.filter, sizes.y);
    if depth != k || [depth, width, fh, fw, wo].contains(&0) {
        return None;
    }
    let row = Row::new(sizes);
    let quads = row.of_four * row.plane + width * depth;
    Some([
        row.parts * fw * row.of_four,
        row.parts,
        quads.div_ceil(FILTERS),
    ])
}

/// How a laid out row lies, in quads, and which pixels of y are one: where depths are few and a power of two, so many
/// that they are sixteen depths, each of which has its own filters.
#[derive(Clone, Copy)]
struct Row {
    /// Pixels that are one.
    pixels: usize,
    /// Sixteens of depths.
    parts: usize,
    /// Fours of a filter's rows.
    of_four: usize,
    /// From four to four: all columns, and what the last vector reads beyond.
    plane: usize,
    /// From tap to tap.
    tap: usize,
    /// From pixel to pixel, or from such pixels to the next.
    pixel: usize,
}

impl Row {
    fn new(sizes: &Sizes) -> Self {
        let ([_, width, depth], [fh, fw], [_, wo, _]) = (sizes.x, sizes.filter, sizes.y);
        let [stride, dilation] = [sizes.stride[1], sizes.dilation[1]];
        let pixels = match stride == 1 && FILTERS.is_multiple_of(depth) {
            true => FILTERS / depth,
            false => 1,
        };
        let seen = (wo.next_multiple_of(pixels) - 1) * stride + (fw - 1) * dilation + 1;
        Self {
            pixels,
            parts: depth.div_ceil(FILTERS),
            of_four: fh.div_ceil(QUAD),
            plane: seen.max(sizes.before[1] + width) * depth + FILTERS,
            tap: dilation * depth,
            pixel: pixels * stride * depth,
        }
    }
}

impl<'a> Depthwise<'a> {
    /// Packs filters, which lie `[row][column][depth]`; between the zero points of x and y.
    #[must_use]
    pub fn pack(
        machine: Machine,
        sizes: &Sizes,
        filters: &[i8],
        (channels, zeros): (&[Channel], [i8; 2]),
        (blocks, ends): (&mut [Block], &mut [Ends]),
    ) -> Option<()> {
        memory(sizes)?;
        let (
            Row {
                pixels, of_four, ..
            },
            [fh, fw],
            depth,
        ) = (Row::new(sizes), sizes.filter, sizes.y[2]);
        let of = |lane: usize| match pixels {
            1 => lane,
            _ => lane % depth,
        };
        let all = depth * pixels;
        let parts = pieces_mut(blocks, fw * of_four).zip(ends).enumerate();
        for (part, (blocks, ends)) in parts.take(depth.div_ceil(FILTERS)) {
            let lanes = part * FILTERS..(part * FILTERS + FILTERS).min(all);
            for (at, block) in blocks.iter_mut().enumerate() {
                let (fx, four) = (at / of_four, at % of_four);
                *block = [[0; QUAD]; FILTERS];
                for (lane, quad) in lanes.clone().zip(block) {
                    for (fy, w) in (four * QUAD..fh).zip(quad) {
                        let from = filters.get((fy * fw + fx) * depth + of(lane));
                        *w = (*from?).max(-127);
                    }
                }
            }
            let mut own = [Channel::ZERO; FILTERS];
            for (lane, own) in lanes.clone().zip(&mut own) {
                *own = *channels.get(of(lane))?;
            }
            let blocks = &*blocks;
            let elements = |at: usize| blocks.iter().flat_map(move |block| block[at]);
            *ends = Ends::new(machine, zeros, own.get(..lanes.len())?, elements);
        }
        Some(())
    }

    /// The layer, from what [`pack`](Self::pack) filled.
    #[must_use]
    pub fn new(
        machine: Machine,
        sizes: &'a Sizes,
        (blocks, ends): (&'a [Block], &'a [Ends]),
        x_zero: i8,
        y: Quantization,
    ) -> Option<Self> {
        let [packed, channels, _] = memory(sizes)?;
        (blocks.len() >= packed && ends.len() >= channels).then_some(Self {
            machine,
            sizes,
            blocks,
            ends,
            x_zero,
            y,
        })
    }

    /// `y[oy][ox][d]`; rows are laid out in `room`.
    #[must_use]
    pub fn forward(&self, x: &[i8], room: &mut [Block], y: &mut [i8]) -> Option<()> {
        let ([height, width, depth], [ho, wo, _]) = (self.sizes.x, self.sizes.y);
        let [_, _, laid_out] = memory(self.sizes)?;
        if x.len() < height * width * depth || y.len() != ho * wo * depth {
            return None;
        }
        let (row, flip) = (Row::new(self.sizes), self.machine.flip().cast_signed());
        let room = room.get_mut(..laid_out)?.as_flattened_mut();
        let (room, none) = room.split_at_mut_checked(row.of_four * row.plane)?;
        // The padding stays.
        room.as_flattened_mut().fill(self.x_zero ^ flip);
        let none = none.as_flattened_mut().get_mut(..width * depth)?;
        none.fill(self.x_zero);
        // Where there is no machine, no type would follow from the call.
        let done: Option<()> = with!(self.machine, dots => dots.vectorize(
            #[inline(always)]
            || {
                for (oy, y) in pieces_mut(y, wo * depth).enumerate() {
                    self.lay_out(dots, &row, (x, none), oy, room)?;
                    self.row(dots, &row, room, y)?;
                }
                Some(())
            }
        ));
        done
    }

    /// Lays out the rows that row `oy` of y sees; where there is none, `none`.
    #[inline(always)]
    fn lay_out<D: Dots>(
        &self,
        dots: D,
        row: &Row,
        (x, none): (&[i8], &[i8]),
        oy: usize,
        room: &mut [[i8; QUAD]],
    ) -> Option<()> {
        let ([height, width, depth], [fh, _]) = (self.sizes.x, self.sizes.filter);
        let len = width * depth;
        for four in 0..row.of_four {
            let of = |e: usize| {
                let fy = four * QUAD + e;
                let iy = self.sizes.input(0, oy, fy);
                match iy.filter(|&iy| fy < fh && iy < height) {
                    Some(iy) => x.get(iy * len..)?.get(..len),
                    None => none.get(..len),
                }
            };
            let rows = [of(0)?, of(1)?, of(2)?, of(3)?];
            let to = four * row.plane + self.sizes.before[1] * depth;
            let to = room.get_mut(to..)?.get_mut(..len)?;
            if len < FILTERS {
                let flip = D::FLIP.cast_signed();
                for (at, to) in to.iter_mut().enumerate() {
                    *to = rows.map(|row| row[at] ^ flip);
                }
                continue;
            }
            for at in (0..len).step_by(FILTERS) {
                let at = at.min(len - FILTERS);
                // SAFETY: at + 16 <= len, which each row has in bytes and `to` in quads.
                unsafe {
                    let rows = rows.map(
                        #[inline(always)]
                        |row| row.as_ptr().add(at),
                    );
                    dots.side_by_side(rows, to.as_mut_ptr().add(at).cast());
                }
            }
        }
        Some(())
    }

    /// A row of y. The last parts come first, as a tile may write beyond them, into the next pixel.
    #[inline(always)]
    fn row<D: Dots>(&self, dots: D, row: &Row, room: &[[i8; QUAD]], y: &mut [i8]) -> Option<()> {
        let (fw, [_, wo, depth]) = (self.sizes.filter[1], self.sizes.y);
        let (pixels, pitch) = (wo.div_ceil(row.pixels), depth * row.pixels);
        for part in (0..row.parts).rev() {
            let first = part * FILTERS;
            let len = fw * row.of_four;
            let from = Taps {
                row,
                room: room.get(first..)?,
                filters: self.blocks.get(part * len..)?.get(..len)?,
                ends: self.ends.get(part)?,
                y: &self.y,
                pitch,
                count: FILTERS.min(pitch - first),
            };
            let y = y.get_mut(first..)?;
            let size = match pixels {
                PIXELS.. => PIXELS,
                4.. => 4,
                _ => 1,
            };
            for ox in (0..pixels).step_by(size) {
                let ox = ox.min(pixels - size);
                let y = y.get_mut(ox * pitch..)?;
                match size {
                    PIXELS => from.tile::<D, PIXELS>(dots, ox, y),
                    4 => from.tile::<D, 4>(dots, ox, y),
                    _ => from.tile::<D, 1>(dots, ox, y),
                }?;
            }
        }
        Some(())
    }
}

/// Pixels that are summed at a time, at most.
const PIXELS: usize = 8;

/// What sixteen depths of a row are made of; of each pixel, `pitch` bytes after the one before, `count` are written.
struct Taps<'a> {
    row: &'a Row,
    room: &'a [[i8; QUAD]],
    filters: &'a [Block],
    ends: &'a Ends,
    y: &'a Quantization,
    pitch: usize,
    count: usize,
}

impl Taps<'_> {
    /// P pixels from `ox` on.
    #[inline(always)]
    fn tile<D: Dots, const P: usize>(&self, dots: D, ox: usize, y: &mut [i8]) -> Option<()> {
        let row = self.row;
        let columns = self.filters.len().checked_div(row.of_four)?;
        let room = self.room.get(ox * row.pixel..)?;
        let end = (P - 1) * row.pixel
            + columns.checked_sub(1)? * row.tap
            + (row.of_four - 1) * row.plane
            + FILTERS;
        if end > room.len() {
            return None;
        }
        // The last come first, as they may be written beyond the pixel.
        for v in (0..self.count.div_ceil(D::LANES)).rev() {
            let first = v * D::LANES;
            // SAFETY: there are FILTERS numbers, and first + LANES are as many at most.
            let start = unsafe { dots.start(self.ends.start.as_ptr().add(first)) };
            let mut sums = [start; P];
            for (column, filters) in self.filters.chunks_exact(row.of_four).enumerate() {
                for (four, w) in filters.iter().enumerate() {
                    // SAFETY: a block has FILTERS quads, of which first + LANES are as many at most.
                    let w = unsafe { dots.filters(w.as_ptr().add(first).cast()) };
                    let at = column * row.tap + four * row.plane + first;
                    for (p, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: p · pixel + at + LANES <= end <= room.len().
                        let x =
                            unsafe { dots.inputs(room.as_ptr().add(p * row.pixel + at).cast()) };
                        *sum = dots.add(*sum, x, w);
                    }
                }
            }
            let count = D::LANES.min(self.count - first);
            if !self.ends.is_narrow {
                let by = dots.by(self.ends, first, self.y);
                for (p, sum) in sums.into_iter().enumerate() {
                    let Some(y) = y.get_mut(p * self.pitch + first..) else {
                        continue;
                    };
                    let count = count.min(y.len());
                    write(dots.bytes(sum, &by).as_ref(), y.get_mut(..count)?);
                }
                continue;
            }
            let bounds = [self.y.lower, self.y.upper];
            for (p, sum) in sums.into_iter().enumerate() {
                // SAFETY: there are FILTERS filters, and first + LANES are as many at most.
                let narrowed = unsafe { dots.narrowed(sum, self.ends, first) };
                // Of pixels that are one, the last may not be there.
                let y = y.get_mut(p * self.pitch + first..).unwrap_or_default();
                let count = count.min(y.len());
                put::<D, 1>(dots, [narrowed], bounds, (count, true), y)?;
            }
        }
        Some(())
    }
}
