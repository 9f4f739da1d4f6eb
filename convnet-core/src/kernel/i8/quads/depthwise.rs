//! `depthwise`: rows lie side by side, so that a quad is four taps of one depth.
//!
//! ```text
//!  four rows of x    a0 a1 a2 …   b0 b1 b2 …   c0 c1 c2 …   d0 d1 d2 …
//!  laid out          a0 b0 c0 d0 │ a1 b1 c1 d1 │ a2 b2 c2 d2 │ …            for each column
//! ```
//!
//! Where words of 16 bits are multiplied faster, it is two rows, as words. A column is laid out once for a row of y, and
//! read by each window that sees it.

use core::array;
use core::mem::MaybeUninit;

use super::conv::put;
use super::ends::write;
use super::{Block, Dots, Ends, FILTERS, Machine, QUAD, with_fastest};
use crate::kernel::Sizes;
use crate::kernel::i8::{Channel, Quantization};
use crate::kernel::pieces::pieces_mut;

/// A `depthwise` whose filters are packed: `[16 depths][column][4 rows, or 2]`.
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
pub fn memory(machine: Machine, sizes: &Sizes) -> Option<[usize; 3]> {
    let ([_, width, depth], [fh, fw], [_, wo, k]) = (sizes.x, sizes.filter, sizes.y);
    if depth != k || [depth, width, fh, fw, wo].contains(&0) {
        return None;
    }
    let row = Row::new(machine, sizes);
    let quads = row.quads * row.plane + width * depth;
    Some([
        row.parts * fw * row.quads,
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
    /// Inputs of a quad.
    inputs: usize,
    /// Quads of a filter's rows.
    quads: usize,
    /// From quad to quad: all columns, and what the last vector reads beyond.
    plane: usize,
    /// From tap to tap.
    tap: usize,
    /// From pixel to pixel, or from such pixels to the next.
    pixel: usize,
}

impl Row {
    fn new(machine: Machine, sizes: &Sizes) -> Self {
        fn of<D: Dots>(_: D) -> usize {
            D::INPUTS
        }
        let inputs = with_fastest!(machine, dots => of(dots));
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
            inputs,
            quads: fh.div_ceil(inputs),
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
        memory(machine, sizes)?;
        let ([fh, fw], depth) = (sizes.filter, sizes.y[2]);
        let Row {
            pixels,
            inputs,
            quads,
            ..
        } = Row::new(machine, sizes);
        let of = |lane: usize| match pixels {
            1 => lane,
            _ => lane % depth,
        };
        let all = depth * pixels;
        let filter = |lane: usize, fy: usize, fx: usize| {
            let w = filters.get((fy * fw + fx) * depth + of(lane));
            w.map(|&w| w.max(-127))
        };
        let parts = pieces_mut(blocks, fw * quads).zip(ends).enumerate();
        for (part, (blocks, ends)) in parts.take(depth.div_ceil(FILTERS)) {
            let lanes = part * FILTERS..(part * FILTERS + FILTERS).min(all);
            for (at, block) in blocks.iter_mut().enumerate() {
                let (fx, first) = (at / quads, at % quads * inputs);
                *block = [[0; QUAD]; FILTERS];
                for (lane, quad) in lanes.clone().zip(block) {
                    for (fy, w) in (first..fh).zip(quad.chunks_exact_mut(QUAD / inputs)) {
                        put_input(filter(lane, fy, fx)?, w);
                    }
                }
            }
            let mut own = [Channel::ZERO; FILTERS];
            for (lane, own) in lanes.clone().zip(&mut own) {
                *own = *channels.get(of(lane))?;
            }
            let all = (0..fh).flat_map(|fy| (0..fw).map(move |fx| [fy, fx]));
            let elements = |at: usize| {
                let lane = lanes.start + at;
                all.clone().filter_map(move |[fy, fx]| filter(lane, fy, fx))
            };
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
        let [packed, channels, _] = memory(machine, sizes)?;
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
        let [_, _, laid_out] = memory(self.machine, self.sizes)?;
        if x.len() < height * width * depth || y.len() != ho * wo * depth {
            return None;
        }
        let row = Row::new(self.machine, self.sizes);
        let room = room.get_mut(..laid_out)?.as_flattened_mut();
        let (room, none) = room.split_at_mut_checked(row.quads * row.plane)?;
        // The padding stays.
        let flip = self.machine.flip().cast_signed();
        room.fill(quad_of(row.inputs, [self.x_zero ^ flip; QUAD]));
        let none = none.as_flattened_mut().get_mut(..width * depth)?;
        none.fill(self.x_zero);
        // Where there is no machine, no type would follow from the call.
        let done: Option<()> = with_fastest!(self.machine, dots => dots.vectorize(
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
        for quad in 0..row.quads {
            let of = |e: usize| {
                let fy = quad * D::INPUTS + e;
                let iy = self.sizes.input(0, oy, fy);
                match iy.filter(|&iy| e < D::INPUTS && fy < fh && iy < height) {
                    Some(iy) => x.get(iy * len..)?.get(..len),
                    None => none.get(..len),
                }
            };
            let rows = [of(0)?, of(1)?, of(2)?, of(3)?];
            let to = quad * row.plane + self.sizes.before[1] * depth;
            let to = room.get_mut(to..)?.get_mut(..len)?;
            if len < FILTERS {
                let flip = D::FLIP.cast_signed();
                for (at, to) in to.iter_mut().enumerate() {
                    *to = quad_of(D::INPUTS, rows.map(|row| row[at] ^ flip));
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
            let len = fw * row.quads;
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
            match from.count.div_ceil(D::LANES) {
                1 if pixels >= 8 => from.tiles::<D, 8, 1>(dots, pixels, y),
                1 if pixels >= 4 => from.tiles::<D, 4, 1>(dots, pixels, y),
                1 => from.tiles::<D, 1, 1>(dots, pixels, y),
                // Where a vector has sixteen depths, there is no second.
                _ if const { D::LANES == FILTERS } => None,
                2 if pixels >= 4 => from.tiles::<D, 4, 2>(dots, pixels, y),
                2 => from.tiles::<D, 1, 2>(dots, pixels, y),
                _ if const { D::LANES > 4 } => None,
                _ if pixels >= 2 => from.tiles::<D, 2, 4>(dots, pixels, y),
                _ => from.tiles::<D, 1, 4>(dots, pixels, y),
            }?;
        }
        Some(())
    }
}

/// Four inputs as a quad, or the first two as words.
fn quad_of(inputs: usize, all: [i8; QUAD]) -> [i8; QUAD] {
    let mut quad = [0; QUAD];
    for (x, to) in all.into_iter().zip(quad.chunks_exact_mut(QUAD / inputs)) {
        put_input(x, to);
    }
    quad
}

/// Writes a byte, or a word: its second byte is its sign.
fn put_input(x: i8, to: &mut [i8]) {
    for (to, x) in to.iter_mut().zip([x, x >> 7]) {
        *to = x;
    }
}

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
    /// All pixels, P at a time, of which the last may be computed again.
    #[inline(always)]
    fn tiles<D: Dots, const P: usize, const N: usize>(
        &self,
        dots: D,
        pixels: usize,
        y: &mut [i8],
    ) -> Option<()> {
        let size = [self.filters.len() / self.row.quads, self.row.quads];
        let is_three = size == [3, 3usize.div_ceil(D::INPUTS)];
        for ox in (0..pixels).step_by(P) {
            let ox = ox.min(pixels - P);
            let y = y.get_mut(ox * self.pitch..)?;
            match is_three {
                true => self.tile::<D, P, N, 3>(dots, ox, y),
                false => self.tile::<D, P, N, 0>(dots, ox, y),
            }?;
        }
        Some(())
    }

    /// P pixels from `ox` on, N vectors of each. F rows and columns, or any number if F is 0.
    #[inline(always)]
    fn tile<D: Dots, const P: usize, const N: usize, const F: usize>(
        &self,
        dots: D,
        ox: usize,
        y: &mut [i8],
    ) -> Option<()> {
        let row = self.row;
        let [columns, quads] = match F {
            0 => [self.filters.len().checked_div(row.quads)?, row.quads],
            _ => [F, F.div_ceil(D::INPUTS)],
        };
        let room = self.room.get(ox * row.pixel..)?;
        let end = (P - 1) * row.pixel
            + columns.checked_sub(1)? * row.tap
            + (quads - 1) * row.plane
            + FILTERS;
        if end > room.len() || columns * quads > self.filters.len() {
            return None;
        }
        // SAFETY: there are FILTERS numbers, and N vectors are as many at most.
        let start: [D::Sums; N] = array::from_fn(
            #[inline(always)]
            |n| unsafe { dots.start(self.ends.start.as_ptr().add(n * D::LANES)) },
        );
        let mut sums = [start; P];
        for column in 0..columns {
            for quad in 0..quads {
                let w: [D::W; N] = array::from_fn(|n| {
                    // SAFETY: there are columns · quads blocks of FILTERS quads, and N vectors are as many at most.
                    unsafe {
                        let w = self.filters.as_ptr().add(column * quads + quad);
                        dots.filters(w.cast::<i8>().add(n * D::LANES * QUAD))
                    }
                });
                let at = column * row.tap + quad * row.plane;
                for (p, sums) in sums.iter_mut().enumerate() {
                    for (n, (sum, w)) in sums.iter_mut().zip(w).enumerate() {
                        let at = p * row.pixel + at + n * D::LANES;
                        // SAFETY: at + LANES <= end <= room.len().
                        let x = unsafe { dots.inputs(room.as_ptr().add(at).cast()) };
                        *sum = dots.add(*sum, x, w);
                    }
                }
            }
        }
        // Those that are numbered later stand in memory, and these in registers.
        let mut numbered = [[const { MaybeUninit::uninit() }; N]; P];
        for p in 0..P {
            for n in 0..N {
                numbered[p][n].write(sums[p][n]);
            }
        }
        // SAFETY: all of these are written.
        let sums = |p: usize, n: usize| unsafe { numbered[p][n].assume_init() };
        if !self.ends.is_narrow {
            for n in 0..N {
                let first = n * D::LANES;
                let by = dots.by(self.ends, first, self.y);
                for p in 0..P {
                    let y = y.get_mut(p * self.pitch..).unwrap_or_default();
                    let count = self.count.min(y.len());
                    let y = y.get_mut(..count)?.get_mut(first..).unwrap_or_default();
                    write(dots.bytes(sums(p, n), &by).as_ref(), y);
                }
            }
            return Some(());
        }
        let bounds = [self.y.lower, self.y.upper];
        for p in 0..P {
            let mut narrowed = [start[0]; N];
            for (n, to) in narrowed.iter_mut().enumerate() {
                // SAFETY: there are FILTERS filters, and N vectors are as many at most.
                *to = unsafe { dots.narrowed(sums(p, n), self.ends, n * D::LANES) };
            }
            // Of pixels that are one, the last may not be there.
            let y = y.get_mut(p * self.pitch..).unwrap_or_default();
            let count = self.count.min(y.len());
            put::<D, N>(dots, narrowed, bounds, (count, true), y)?;
        }
        Some(())
    }
}
