//! `depthwise`: rows lie side by side, so that a quad is four taps of one depth.
//!
//! ```text
//!  four rows of x    a0 a1 a2 …   b0 b1 b2 …   c0 c1 c2 …   d0 d1 d2 …
//!  laid out          a0 b0 c0 d0 │ a1 b1 c1 d1 │ a2 b2 c2 d2 │ …            for each column
//! ```
//!
//! A column is laid out once for a row of y, and read by each window that sees it.

use super::ends::write;
use super::{Block, Dots, Ends, FILTERS, Machine, QUAD, with};
use crate::kernel::Sizes;
use crate::kernel::i8::{Channel, Quantization};
use crate::kernel::pieces::pieces_mut;
use crate::kernel::window::even_lengths;

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

/// Blocks of filters, their ends, and blocks of a laid out row; `None` of sizes that no volume has.
pub fn memory(sizes: &Sizes) -> Option<[usize; 3]> {
    let ([_, width, depth], [fh, fw], [_, wo, k]) = (sizes.x, sizes.filter, sizes.y);
    if depth != k || [depth, width, fh, fw, wo].contains(&0) {
        return None;
    }
    let [parts, of_four] = [depth.div_ceil(FILTERS), fh.div_ceil(QUAD)];
    Some([
        parts * fw * of_four,
        parts,
        parts * of_four * columns(sizes),
    ])
}

/// Columns of a laid out row, with those of the padding.
fn columns(sizes: &Sizes) -> usize {
    let seen = (sizes.y[1] - 1) * sizes.stride[1] + (sizes.filter[1] - 1) * sizes.dilation[1] + 1;
    seen.max(sizes.before[1] + sizes.x[1])
}

impl<'a> Depthwise<'a> {
    /// Packs filters, which lie `[row][column][depth]`.
    #[must_use]
    pub fn pack(
        machine: Machine,
        sizes: &Sizes,
        filters: &[i8],
        (channels, x_zero): (&[Channel], i8),
        (blocks, ends): (&mut [Block], &mut [Ends]),
    ) -> Option<()> {
        memory(sizes)?;
        let ([fh, fw], depth) = (sizes.filter, sizes.y[2]);
        let of_four = fh.div_ceil(QUAD);
        let parts = pieces_mut(blocks, fw * of_four).zip(ends).enumerate();
        for (part, (blocks, ends)) in parts.take(depth.div_ceil(FILTERS)) {
            for (at, block) in blocks.iter_mut().enumerate() {
                let (fx, four) = (at / of_four, at % of_four);
                for (d, quad) in block.iter_mut().enumerate() {
                    for (e, w) in quad.iter_mut().enumerate() {
                        let (d, fy) = (part * FILTERS + d, four * QUAD + e);
                        let is_there = d < depth && fy < fh;
                        let from = filters.get((fy * fw + fx) * depth + d);
                        *w = from.filter(|_| is_there).map_or(0, |w| (*w).max(-127));
                    }
                }
            }
            let first = part * FILTERS;
            let channels = channels.get(first..(first + FILTERS).min(depth))?;
            *ends = Ends::new(machine, x_zero, channels, blocks);
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
        let room = room.get_mut(..laid_out)?;
        let flip = self.machine.flip().cast_signed();
        // The padding stays.
        room.as_flattened_mut()
            .as_flattened_mut()
            .fill(self.x_zero ^ flip);
        for (oy, y) in pieces_mut(y, wo * depth).enumerate() {
            // Where there is no machine, no type would follow from the call.
            let done: Option<()> = with!(self.machine, dots => dots.vectorize(
                #[inline(always)]
                || {
                    self.lay_out(x, oy, flip, room)?;
                    self.row(dots, room, y)
                }
            ));
            done?;
        }
        Some(())
    }

    /// Lays out the rows that row `oy` of y sees.
    #[inline(always)]
    fn lay_out(&self, x: &[i8], oy: usize, flip: i8, room: &mut [Block]) -> Option<()> {
        let ([height, width, depth], [fh, _]) = (self.sizes.x, self.sizes.filter);
        let [of_four, parts] = [fh.div_ceil(QUAD), depth.div_ceil(FILTERS)];
        for four in 0..of_four {
            let row = |e: usize| {
                let fy = four * QUAD + e;
                let iy = self.sizes.input(0, oy, fy);
                let iy = iy.filter(|&iy| fy < fh && iy < height)?;
                x.get(iy * width * depth..)?.get(..width * depth)
            };
            // What is not there, filters of zero or the zero point take out; it reads another row.
            let rows = [row(0), row(1), row(2), row(3)];
            for ix in 0..width {
                let to = ((self.sizes.before[1] + ix) * of_four + four) * parts;
                let to = room.get_mut(to..)?.get_mut(..parts)?;
                let to = to.as_flattened_mut().get_mut(..depth)?;
                let columns =
                    rows.map(|row| row.and_then(|row| row.get(ix * depth..)?.get(..depth)));
                if let [Some(a), Some(b), Some(c), Some(d)] = columns {
                    for (to, (((a, b), c), d)) in to.iter_mut().zip(a.iter().zip(b).zip(c).zip(d)) {
                        *to = [a ^ flip, b ^ flip, c ^ flip, d ^ flip];
                    }
                } else if let ([Some(a), Some(b), Some(c), None], 3) = (columns, fh) {
                    // Of filters with three rows.
                    for (to, ((a, b), c)) in to.iter_mut().zip(a.iter().zip(b).zip(c)) {
                        *to = [a ^ flip, b ^ flip, c ^ flip, 0];
                    }
                } else {
                    for (e, column) in columns.into_iter().enumerate() {
                        match column {
                            Some(x) => to.iter_mut().zip(x).for_each(|(to, x)| to[e] = x ^ flip),
                            None => to.iter_mut().for_each(|to| to[e] = self.x_zero ^ flip),
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// A row of y.
    #[inline(always)]
    fn row<D: Dots>(&self, dots: D, room: &[Block], y: &mut [i8]) -> Option<()> {
        let ([_, fw], [_, wo, depth]) = (self.sizes.filter, self.sizes.y);
        let [of_four, parts] = [self.sizes.filter[0].div_ceil(QUAD), depth.div_ceil(FILTERS)];
        let of_column = of_four * parts;
        let taps = Taps {
            tap: self.sizes.dilation[1] * of_column,
            pixel: self.sizes.stride[1] * of_column,
            count: [fw, of_four],
            parts,
        };
        for part in 0..parts {
            let first = part * FILTERS;
            let room = room.get(part..)?;
            let len = fw * of_four;
            let filters = self.blocks.get(part * len..)?.get(..len)?;
            let ends = self.ends.get(part)?;
            let mut ox = 0;
            for pixels in even_lengths(wo, PIXELS) {
                let room = room.get(ox * taps.pixel..)?;
                let from = (room, filters, ends, &self.y);
                let y = y.get_mut(ox * depth + first..)?;
                let count = FILTERS.min(depth - first);
                match pixels {
                    1 => taps.tile::<D, 1>(dots, from, depth, count, y),
                    2 => taps.tile::<D, 2>(dots, from, depth, count, y),
                    3 => taps.tile::<D, 3>(dots, from, depth, count, y),
                    _ => taps.tile::<D, 4>(dots, from, depth, count, y),
                }?;
                ox += pixels;
            }
        }
        Some(())
    }
}

/// Pixels that are summed at a time.
const PIXELS: usize = 4;

/// How windows lie in a laid out row, in blocks.
struct Taps {
    /// From tap to tap.
    tap: usize,
    /// From pixel to pixel.
    pixel: usize,
    /// Columns of a window, and fours of rows.
    count: [usize; 2],
    /// From four to four.
    parts: usize,
}

impl Taps {
    /// P pixels of sixteen depths; of each, `depth` bytes after the one before, `count` are written.
    #[inline(always)]
    fn tile<D: Dots, const P: usize>(
        &self,
        dots: D,
        (room, filters, ends, is): (&[Block], &[Block], &Ends, &Quantization),
        depth: usize,
        count: usize,
        y: &mut [i8],
    ) -> Option<()> {
        let [columns, of_four] = self.count;
        let last = (P - 1) * self.pixel + (columns - 1) * self.tap + (of_four - 1) * self.parts;
        if last >= room.len() || filters.len() < columns * of_four {
            return None;
        }
        for v in 0..FILTERS / D::LANES {
            // SAFETY: there are FILTERS numbers, and v·LANES + LANES are as many at most.
            let start = unsafe { dots.start(ends.start.as_ptr().add(v * D::LANES)) };
            let mut sums = [start; P];
            for (column, filters) in filters.chunks_exact(of_four).enumerate().take(columns) {
                for (four, w) in filters.iter().enumerate() {
                    // SAFETY: a block has FILTERS quads, of which v·LANES + LANES are as many at most.
                    let w = unsafe { dots.filters(w.as_ptr().add(v * D::LANES).cast()) };
                    for (p, sum) in sums.iter_mut().enumerate() {
                        let at = p * self.pixel + column * self.tap + four * self.parts;
                        // SAFETY: at <= last < room.len(), and of that block as above.
                        let x = unsafe {
                            let block = room.get_unchecked(at);
                            dots.inputs(block.as_ptr().add(v * D::LANES).cast())
                        };
                        *sum = dots.add(*sum, x, w);
                    }
                }
            }
            let by = dots.by(ends, v * D::LANES, is);
            for (p, sum) in sums.into_iter().enumerate() {
                let y = y.get_mut(p * depth..)?.get_mut(..count)?;
                let y = y.get_mut(v * D::LANES..).unwrap_or_default();
                write(dots.bytes(sum, &by).as_ref(), y);
            }
        }
        Some(())
    }
}
