//! Tiles: two filters by four pixels, in pairs of inputs.
//!
//! ```text
//!  columns  (x0, x2) of pixels 0 1 2 3 │ (x1, x3) of pixels 0 1 2 3 │ …      16 bits each, less the zero point
//!  filters   a0 b0 a2 b2               │  a1 b1 a3 b3               │ …       8 bits each
//!  sums      pixel 0: a b │ pixel 1: a b │ pixel 2: a b │ pixel 3: a b
//! ```
//!
//! Of a window of a 2x2 pool, the four pixels are a tile: the largest of its sums is stored, and there is no map. A
//! first layer reads its windows from rows that were widened once, without columns.
//!
//! Who packs filters says [`Layout`](super::Layout). The loops here are those of every machine; `dsp` has the tiles.

use core::marker::PhantomData;
use core::ops::Range;

use super::packed::{PIXELS, pools_sums};
use super::rows::by_rows;
use super::{Channel, Filters, Pool, Quantization, Steps};
use crate::kernel::pieces::{pieces, pieces_mut};

/// Filters of a tile.
const PAIR: usize = 2;

/// The sums of a tile.
pub(super) type Sums = [[i32; PAIR]; PIXELS];

/// How the tiles of a network's first layer step: a type, so that they are part of the instructions.
pub trait Walk {
    /// The steps.
    const STEPS: Steps;
    /// Whether its pool takes the sums of tiles.
    const POOLS: bool;
}

/// A layer whose filters are in pairs.
#[derive(Clone, Copy, Debug)]
pub struct Tiles<'a, W> {
    layer: Filters<'a>,
    /// Whether filters are even, any byte is stored, and sums and multipliers are as small as [`Rounding`] takes them.
    is_plain: bool,
    walk: PhantomData<W>,
}

impl<'a, W: Walk> Tiles<'a, W> {
    /// Of a layer with filters of that [`Layout`](super::Layout).
    #[must_use]
    pub fn new(layer: Filters<'a>) -> Self {
        let [fh, fw] = layer.sizes.filter;
        let most = (fh * fw * layer.sizes.x[2]).saturating_mul(255 * 128);
        let fits = |channel: &Channel| {
            let bias = channel.bias.unsigned_abs() as usize;
            bias.saturating_add(most) < 1 << 30 && (-22..0).contains(&channel.by.exponent())
        };
        let is_open = [layer.y.lower, layer.y.upper] == [i8::MIN, i8::MAX];
        let is_even = layer.channels.len().is_multiple_of(PAIR);
        Self {
            is_plain: is_open && is_even && layer.channels.iter().all(fits),
            layer,
            walk: PhantomData,
        }
    }

    /// One window, which is x: an `fc`.
    #[must_use]
    #[inline(never)]
    pub fn dense(&self, x: &[i8], y: &mut [i8]) -> Option<()> {
        let pairs = x.len().next_multiple_of(4) / 2;
        let blocks = pieces(self.layer.filters.as_chunks::<4>().0, pairs);
        let channels = pieces(self.layer.channels, PAIR);
        if y.len() != self.layer.channels.len() {
            return None;
        }
        for ((y, channels), block) in pieces_mut(y, PAIR).zip(channels).zip(blocks) {
            let mut sums = [0; PAIR];
            for (sum, channel) in sums.iter_mut().zip(channels) {
                *sum = channel.bias;
            }
            dense(x, self.layer.x_zero, block, &mut sums);
            for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                *y = self.stored(channel, sum);
            }
        }
        Some(())
    }

    /// A `conv`, and the pool that takes its rows from `map`. It works in `columns`.
    #[must_use]
    #[inline(never)]
    pub fn conv(
        &self,
        x: &[i8],
        pool: Option<Pool<'_>>,
        (columns, map): (&mut [i8], &mut [i8]),
        y: &mut [i8],
    ) -> Option<()> {
        let columns = bytemuck::try_cast_slice_mut::<i8, Column>(columns).ok()?;
        let sizes = self.layer.sizes;
        let [_, width, _] = sizes.y;
        if pools_sums(sizes, pool.map(|pool| pool.sizes)) {
            let pixel = |at: usize, p: usize| {
                let (py, px) = (at.checked_div(width / 2)?, at.checked_rem(width / 2)?);
                Some([2 * py + p / 2, 2 * px + p % 2])
            };
            let k = self.layer.channels.len();
            for (at, y) in pieces_mut(y, k).enumerate() {
                let rows = self.rows([pixel(at, 0)?[0], pixel(at, PIXELS - 1)?[0]]);
                for p in 0..PIXELS {
                    self.column(x, pixel(at, p)?, rows.clone(), p, columns)?;
                }
                let pairs = self.pairs_of(rows);
                self.largest(y, |block, sums| tile(columns, pairs.clone(), block, sums))?;
            }
            return Some(());
        }
        let mut run = |first: usize, y: &mut [i8]| {
            let k = self.layer.channels.len();
            let count = y.len().checked_div(k)?;
            let mut at = 0;
            while at < count {
                // The last tile computes some pixels again, or one more than once.
                let start = at.min(count.saturating_sub(PIXELS));
                let pixel = |p: usize| {
                    let pixel = first + (start + p).min(count - 1);
                    Some([pixel.checked_div(width)?, pixel.checked_rem(width)?])
                };
                let rows = self.rows([pixel(0)?[0], pixel(PIXELS - 1)?[0]]);
                for p in 0..PIXELS {
                    self.column(x, pixel(p)?, rows.clone(), p, columns)?;
                }
                let (y, pairs) = (y.get_mut(start * k..)?, self.pairs_of(rows));
                self.each(y, |block, sums| tile(columns, pairs.clone(), block, sums))?;
                at += PIXELS;
            }
            Some(())
        };
        match pool {
            None => run(0, y),
            pool => by_rows(sizes, pool, map, y, |oy, y| run(oy * width, y)),
        }
    }

    /// A `conv` that reads its windows in `rows`, and the pool that takes its rows from `map`.
    #[must_use]
    #[inline(never)]
    pub fn conv_in_rows(
        &self,
        x: &[i8],
        pool: Option<Pool<'_>>,
        (rows, map): (&mut [i8], &mut [i8]),
        y: &mut [i8],
    ) -> Option<()> {
        let rows = bytemuck::try_cast_slice_mut::<i8, i16>(rows).ok()?;
        let (sizes, [sh, sw]) = (self.layer.sizes, self.layer.sizes.stride);
        let ([_, width, _], depth) = (sizes.y, sizes.x[2]);
        let k = self.layer.channels.len();
        if const { W::POOLS } {
            let pooled = width / 2 * k;
            for (py, y) in pieces_mut(y, pooled).enumerate() {
                self.widen(x, 2 * py * sh, rows)?;
                let seen = self.rows([2 * py, 2 * py + 1]);
                for (px, y) in pieces_mut(y, k).enumerate() {
                    let x = rows.get(2 * px * sw * depth..)?;
                    self.largest(y, |block, sums| {
                        tile_in_rows::<W>(x, seen.clone(), block, sums)
                    })?;
                }
            }
            return Some(());
        }
        by_rows(sizes, pool, map, y, |oy, y| {
            self.widen(x, oy * sh, rows)?;
            let seen = self.rows([oy, oy]);
            let mut at = 0;
            while at < width {
                let start = at.min(width.checked_sub(PIXELS)?);
                let x = rows.get(start * sw * depth..)?;
                let y = y.get_mut(start * k..)?;
                self.each(y, |block, sums| {
                    tile_in_rows::<W>(x, seen.clone(), block, sums)
                })?;
                at += PIXELS;
            }
            Some(())
        })
    }

    /// Widens the rows from `top` on, counted with those of the padding. Behind the first, some are there and move up.
    fn widen(&self, x: &[i8], top: usize, rows: &mut [i16]) -> Option<()> {
        let (sizes, steps) = (self.layer.sizes, const { W::STEPS });
        let ([height, width, depth], pitch) = (sizes.x, const { W::STEPS.pitch });
        let kept = match top {
            0 => 0,
            _ => steps.rows.saturating_sub(steps.new),
        };
        for row in 0..kept {
            let (to, from) = rows.split_at_mut_checked((row + steps.new) * pitch)?;
            let to = to.get_mut(row * pitch..)?.as_chunks_mut::<2>().0;
            let from = from.get_mut(..pitch)?.as_chunks_mut::<2>().0;
            move_up(to, from);
        }
        let zero = i16::from(self.layer.x_zero);
        for row in kept..steps.rows {
            let to = rows.get_mut(row * pitch..)?.get_mut(..pitch)?;
            to.fill(0);
            let iy = (top + row).checked_sub(sizes.before[0]);
            if let Some(iy) = iy.filter(|&iy| iy < height) {
                let from = x.get(iy * width * depth..)?.get(..width * depth)?;
                widen_row(to.get_mut(sizes.before[1] * depth..)?, from, zero);
            }
        }
        Some(())
    }

    /// The rows of the windows from one row of y to another which meet x. The others add nothing.
    fn rows(&self, [low, high]: [usize; 2]) -> Range<usize> {
        let sizes = self.layer.sizes;
        let ([stride, _], dilation) = (sizes.stride, sizes.dilation[0].max(1));
        let above = sizes.before[0].saturating_sub(high * stride);
        let below = (sizes.before[0] + sizes.x[0]).saturating_sub(low * stride);
        let end = below.div_ceil(dilation).min(sizes.filter[0]);
        above.div_ceil(dilation).min(end)..end
    }

    /// The pairs of such rows: all, where rows end within a word.
    fn pairs_of(&self, rows: Range<usize>) -> Range<usize> {
        let row = self.layer.sizes.filter[1] * self.layer.sizes.x[2];
        match row % 4 {
            0 => rows.start * row / 2..rows.end * row / 2,
            _ => 0..usize::MAX,
        }
    }

    /// Such rows of the window of a pixel, as column `p`.
    #[inline(never)]
    fn column(
        &self,
        x: &[i8],
        [oy, ox]: [usize; 2],
        rows: Range<usize>,
        p: usize,
        columns: &mut [Column],
    ) -> Option<()> {
        let (sizes, p, zero) = (self.layer.sizes, p % PIXELS, self.layer.x_zero);
        let ([height, width, depth], [fh, fw]) = (sizes.x, sizes.filter);
        // Where rows end within a word, tiles take all.
        let rows = if fw * depth % 4 == 0 { rows } else { 0..fh };
        // Taps that lie side by side are one run.
        let taps = if sizes.dilation[1] == 1 { fw } else { 1 };
        for tap in (0..fw).step_by(taps.max(1)) {
            let [column, skipped, count] = sizes.seen(ox, tap, taps, width);
            let [before, inside] = [skipped * depth, (skipped + count) * depth];
            for fy in rows.clone() {
                let at = (fy * fw + tap) * depth;
                match sizes.input(0, oy, fy).filter(|&iy| iy < height) {
                    None => blank(columns, at, taps * depth, p),
                    Some(iy) => {
                        let run = x
                            .get((iy * width + column) * depth..)?
                            .get(..count * depth)?;
                        lay(columns, at + before, run, zero, p);
                        if count < taps {
                            blank(columns, at, before, p);
                            blank(columns, at + inside, taps * depth - inside, p);
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// Pairs of a filter.
    fn pairs(&self) -> Option<usize> {
        let blocks = self.layer.channels.len().div_ceil(PAIR);
        (self.layer.filters.len() / 4).checked_div(blocks)
    }

    /// The values of four pixels, or as many as there are in y.
    #[inline(always)]
    fn each(&self, y: &mut [i8], tile: impl Fn(&[[i8; 4]], &mut Sums) -> Option<()>) -> Option<()> {
        let all = self.layer.channels;
        let (k, zero) = (all.len(), self.layer.y.zero);
        let (pairs, mut at) = (self.pairs()?, 0);
        let mut rest = self.layer.filters.as_chunks::<4>().0;
        if self.is_plain && y.len() >= PIXELS * k {
            for channels in all.as_chunks::<PAIR>().0 {
                let (block, behind) = rest.split_at_checked(pairs)?;
                let mut sums = biases(channels);
                tile(block, &mut sums)?;
                put(channels, zero, &sums, y.get_mut(at..)?, k);
                (rest, at) = (behind, at + PAIR);
            }
            return Some(());
        }
        for channels in pieces(all, PAIR) {
            let (block, behind) = rest.split_at_checked(pairs)?;
            let mut sums = biases(channels);
            tile(block, &mut sums)?;
            for (y, sums) in pieces_mut(y.get_mut(at..)?, k).zip(sums) {
                for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                    *y = self.stored(channel, sum);
                }
            }
            (rest, at) = (behind, at + PAIR);
        }
        Some(())
    }

    /// The largest value of four pixels, for each filter.
    #[inline(always)]
    fn largest(
        &self,
        y: &mut [i8],
        tile: impl Fn(&[[i8; 4]], &mut Sums) -> Option<()>,
    ) -> Option<()> {
        let pairs = self.pairs()?;
        let mut rest = self.layer.filters.as_chunks::<4>().0;
        for (y, channels) in pieces_mut(y, PAIR).zip(pieces(self.layer.channels, PAIR)) {
            let (block, behind) = rest.split_at_checked(pairs)?;
            rest = behind;
            let mut sums = biases(channels);
            tile(block, &mut sums)?;
            let [a, b, c, d] = sums;
            let most = |of: usize| a[of].max(b[of]).max(c[of].max(d[of]));
            let most = [most(0), most(1)];
            match (&mut *y, channels) {
                ([y, y_next], [a, b]) => {
                    (*y, *y_next) = (self.stored(a, most[0]), self.stored(b, most[1]));
                }
                ([y, ..], [a, ..]) => *y = self.stored(a, most[0]),
                ([], _) | (_, []) => return None,
            }
        }
        Some(())
    }

    /// What is stored of a sum.
    #[inline(always)]
    fn stored(&self, channel: &Channel, sum: i32) -> i8 {
        let y = &self.layer.y;
        match self.is_plain {
            true => Rounding::of(channel, y.zero).times(sum),
            false => stored(channel, y, sum),
        }
    }
}

/// The values of a tile, whose pixels lie `k` bytes apart.
#[inline(always)]
fn put(channels: &[Channel; PAIR], zero: i8, sums: &Sums, y: &mut [i8], k: usize) {
    #[cfg(dsp)]
    super::dsp::put(channels, zero, sums, y, k);
    #[cfg(not(dsp))]
    {
        let roundings = channels.each_ref().map(|it| Rounding::of(it, zero));
        for (y, sums) in pieces_mut(y, k).zip(sums) {
            for ((y, rounding), &sum) in y.iter_mut().zip(roundings).zip(sums) {
                *y = rounding.times(sum);
            }
        }
    }
}

/// What is stored of a sum, of any multiplier and within any bounds.
#[inline(never)]
fn stored(channel: &Channel, y: &Quantization, sum: i32) -> i8 {
    y.stored(channel.by.times(sum))
}

/// A multiplier below a half, and the zero point behind it.
#[derive(Clone, Copy)]
struct Rounding {
    mantissa: i32,
    shift: u32,
    /// Half of what is shifted out, and the zero point.
    add: i32,
}

impl Rounding {
    #[inline(always)]
    fn of(channel: &Channel, zero: i8) -> Self {
        let [mantissa, exponent] = channel.by.parts();
        let shift = exponent.wrapping_neg() as u32 & 31;
        let half = (1i32 << shift) >> 1;
        Self {
            mantissa,
            shift,
            add: half.wrapping_add(i32::from(zero) << shift),
        }
    }

    /// A sum below 2³⁰ as a byte: what [`Multiplier::times`](super::Multiplier::times) does, in fewer steps.
    #[inline(always)]
    fn times(self, sum: i32) -> i8 {
        let wide = i64::from(sum << 1) * i64::from(self.mantissa);
        let high = ((wide + (1 << 31)) >> 32) as i32;
        let rounded = high.wrapping_add(high >> 31).wrapping_add(self.add) >> self.shift;
        rounded.clamp(-128, 127) as i8
    }
}

/// What sums begin with.
#[inline(always)]
fn biases(channels: &[Channel]) -> Sums {
    let both = match channels {
        [a, b] => [a.bias, b.bias],
        [a] => [a.bias, 0],
        _ => [0; PAIR],
    };
    [both; PIXELS]
}

/// A row takes the place of another, which is overwritten next. (A function of its own, as the next: unrolled, they
/// are most of a program.)
#[inline(never)]
fn move_up(to: &mut [[i16; 2]], from: &mut [[i16; 2]]) {
    for (to, from) in to.iter_mut().zip(from) {
        core::mem::swap(to, from);
    }
}

/// A row of x, less its zero point.
#[inline(never)]
fn widen_row(to: &mut [i16], from: &[i8], zero: i16) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = i16::from(from) - zero;
    }
}

/// Inputs that are not there, from `at` on.
#[inline(never)]
fn blank(columns: &mut [Column], at: usize, count: usize, p: usize) {
    let end = at + count;
    if at.is_multiple_of(4) && count.is_multiple_of(4) {
        let columns = columns.get_mut(at / 2..end / 2).unwrap_or_default();
        for column in columns {
            column[p % PIXELS] = 0;
        }
    } else {
        (at..end).for_each(|at| set(columns, at, p, 0));
    }
}

/// Inputs that are there, less their zero point.
#[inline(never)]
fn lay(columns: &mut [Column], at: usize, run: &[i8], zero: i8, p: usize) {
    let mut whole = 0;
    if at.is_multiple_of(4)
        && let Some(columns) = columns.get_mut(at / 2..)
    {
        whole = widen(run, zero, columns, p);
    }
    for (at, &x) in (at + whole..).zip(run.get(whole..).unwrap_or_default()) {
        set(columns, at, p, i16::from(x) - i16::from(zero));
    }
}

/// One input of a pixel.
#[inline(always)]
fn set(columns: &mut [Column], at: usize, p: usize, x: i16) {
    if let Some(column) = columns.get_mut(at / 4 * 2 + at % 2) {
        let (pair, half) = (&mut column[p % PIXELS], 16 * (at / 2 % 2));
        *pair = *pair & !(0xffff << half) | u32::from(x as u16) << half;
    }
}

/// A pair of inputs of four pixels, 16 bits each, the first one below.
pub(super) type Column = [u32; PIXELS];

/// Four inputs of one pixel become pairs, as many as whole fours there are; how many inputs those are.
#[inline(always)]
fn widen(run: &[i8], zero: i8, columns: &mut [Column], p: usize) -> usize {
    #[cfg(dsp)]
    return super::dsp::widen(run, zero, columns, p);
    #[cfg(not(dsp))]
    {
        let (words, _) = run.as_chunks::<4>();
        let zero = i16::from(zero);
        for (&[a, b, c, d], to) in words.iter().zip(columns.as_chunks_mut::<2>().0) {
            let [a, b, c, d] = [a, b, c, d].map(|x| i16::from(x) - zero);
            let pair = |x: i16, next: i16| u32::from(next as u16) << 16 | u32::from(x as u16);
            [to[0][p % PIXELS], to[1][p % PIXELS]] = [pair(a, c), pair(b, d)];
        }
        4 * words.len()
    }
}

/// The sums grow by the products of a column and of two filters.
#[inline(always)]
fn tile(columns: &[Column], pairs: Range<usize>, block: &[[i8; 4]], sums: &mut Sums) -> Option<()> {
    let pairs = pairs.start..pairs.end.min(block.len());
    let (columns, block) = (columns.get(pairs.clone())?, block.get(pairs)?);
    #[cfg(dsp)]
    super::dsp::tile(columns, block, sums);
    #[cfg(not(dsp))]
    for (column, word) in columns.iter().zip(block) {
        for (x, sums) in column.iter().zip(&mut *sums) {
            grow([*x as i16, (*x >> 16) as i16], *word, sums);
        }
    }
    Some(())
}

/// The same of some rows of windows, in which the pixels lie as the steps say.
#[inline(always)]
fn tile_in_rows<W: Walk>(
    x: &[i16],
    rows: Range<usize>,
    block: &[[i8; 4]],
    sums: &mut Sums,
) -> Option<()> {
    let steps = const { W::STEPS };
    let [start, end] = [rows.start, rows.end].map(|row| row * steps.run / 2);
    let block = block.get(start..end)?;
    let x = x.get(rows.start * steps.pitch..)?;
    #[cfg(dsp)]
    super::dsp::tile_in_rows::<W>(x, rows.len(), block, sums);
    #[cfg(not(dsp))]
    for (pixel, sums) in steps.pixels.into_iter().zip(&mut *sums) {
        let starts = (pixel..).step_by(steps.pitch);
        for (start, block) in starts.zip(pieces(block, steps.run / 2)) {
            let (pairs, _) = x.get(start..)?.as_chunks::<2>();
            for (x, word) in pairs.iter().zip(block) {
                grow(*x, *word, sums);
            }
        }
    }
    Some(())
}

/// The sums of two filters grow by the products of one window.
#[inline(always)]
fn dense(x: &[i8], zero: i8, block: &[[i8; 4]], sums: &mut [i32; PAIR]) {
    #[cfg(dsp)]
    let (x, block) = super::dsp::dense(x, zero, block, sums);
    for (x, block) in pieces(x, 4).zip(pieces(block, 2)) {
        let wide = |at: usize| x.get(at).map_or(0, |&x| i16::from(x) - i16::from(zero));
        for (odd, word) in block.iter().enumerate() {
            grow([wide(odd), wide(odd + 2)], *word, sums);
        }
    }
}

/// The products of a pair of inputs, for two filters.
fn grow([x, next]: [i16; 2], [a, b, a_next, b_next]: [i8; 4], sums: &mut [i32; PAIR]) {
    let product = |x: i16, w: i8| i32::from(x) * i32::from(w);
    let [of_a, of_b] = sums;
    *of_a = of_a.wrapping_add(product(x, a) + product(next, a_next));
    *of_b = of_b.wrapping_add(product(x, b) + product(next, b_next));
}
