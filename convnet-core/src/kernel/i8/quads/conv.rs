//! `conv` and `fc`: some pixels by some vectors of filters, whose sums never leave the registers.
//!
//! ```text
//!                        w of one quad: N vectors of filters
//!   x[pixel 0] quad ──▶  ┌────────┬────────┐
//!   x[pixel 1] quad ──▶  │ sums                   │     a window is runs of quads: a row of taps, or a tap
//! ```
//!
//! A window is read where it lies in x. Where it hangs over, or a run ends within a quad at the end of x, x is copied
//! first, with a border of its zero point; what a quad reads beyond its run, filters of zero take out.
//!
//! Where a machine multiplies words of 16 bits faster (`Pairs`), x is copied as words, and a quad is two of them: the
//! same tiles over twice as many bytes.

use core::mem::MaybeUninit;
use core::{array, iter};

use super::ends::finish;
use super::{Block, Dots, Ends, FILTERS, Machine, Pairs, QUAD, with, with_pairs};
use crate::kernel::Sizes;
use crate::kernel::i8::packed::is_two_by_two;
use crate::kernel::i8::{Channel, Quantization};
use crate::kernel::pieces::pieces_mut;

/// A `conv`, or an `fc`, whose filters are packed.
#[derive(Clone, Copy, Debug)]
pub struct Conv<'a> {
    machine: Machine,
    sizes: &'a Sizes,
    blocks: &'a [Block],
    ends: &'a [Ends],
    x_zero: i8,
    y: Quantization,
    windows: Windows,
}

/// From how many pixels of y on x is copied as words, where those are multiplied faster: what is packed for them takes
/// twice as many bytes, each of which is read once for some pixels. And how many products there are to be of each
/// input, where bytes would need no copy.
const PIXELS_OF_WORDS: usize = 6;
const PRODUCTS_OF_WORDS: usize = 32;

/// How windows lie in x, or in its copy, in bytes.
#[derive(Clone, Copy, Debug)]
struct Windows {
    /// Runs of a window: rows, and taps of each row that do not lie side by side.
    runs: [usize; 2],
    /// From run to run.
    steps: [usize; 2],
    /// Quads of a run.
    quads: usize,
    /// From pixel to pixel, down and to the right.
    pixels: [usize; 2],
    /// From group to group.
    group: usize,
    /// Height and width of the copy, if there is to be one.
    copy: Option<[usize; 2]>,
    /// Bytes that are read.
    seen: usize,
    /// Bytes of an input: of two, it is a word, and all of x is copied.
    element: usize,
}

impl Windows {
    fn new(machine: Machine, sizes: &Sizes) -> Option<Self> {
        let &Sizes {
            x: [height, width, depth],
            filter: [fh, fw],
            stride: [sh, sw],
            dilation: [dh, dw],
            before: [above, left],
            y: [ho, wo, k],
            groups,
        } = sizes;
        let of_group = depth.checked_div(groups)?;
        if [fh, fw, ho, wo, k, of_group].contains(&0) || k.checked_rem(groups)? != 0 {
            return None;
        }
        let [high, wide] = [
            (ho - 1) * sh + (fh - 1) * dh + 1,
            (wo - 1) * sw + (fw - 1) * dw + 1,
        ];
        let hangs_over = above > 0 || left > 0 || high > height || wide > width;
        let products = ho * wo * fh * fw * (k / groups);
        let pays = ho * wo >= PIXELS_OF_WORDS
            && (hangs_over || products >= PRODUCTS_OF_WORDS * height * width);
        let element = match machine.has_pairs() && pays {
            true => 2,
            false => 1,
        };
        let [depth, of_group] = [depth, of_group].map(|depth| depth * element);
        // Taps that lie side by side are one run.
        let is_row = groups == 1 && dw == 1;
        let [taps, run] = match is_row {
            true => [1, fw * depth],
            false => [fw, of_group],
        };
        let quads = run.div_ceil(QUAD);
        let within = |width: usize| Self {
            runs: [fh, taps],
            steps: [dh * width * depth, dw * depth],
            quads,
            pixels: [sh * width * depth, sw * depth],
            group: of_group,
            copy: None,
            seen: ((high - 1) * width + wide) * depth + quads * QUAD - run,
            element,
        };
        let own = within(width);
        if element == 1 && !hangs_over && own.seen <= height * width * depth {
            return Some(own);
        }
        let [high, wide] = [high.max(above + height), wide.max(left + width)];
        Some(Self {
            copy: Some([high, wide]),
            ..within(wide)
        })
    }

    /// Whether there is a border in the copy.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        allow(dead_code, reason = "x86 multiplies pairs")
    )]
    fn hangs_over(&self, sizes: &Sizes) -> bool {
        self.copy != Some([sizes.x[0], sizes.x[1]])
    }

    /// Quads of a window.
    fn len(&self) -> usize {
        self.runs[0] * self.runs[1] * self.quads
    }
}

/// What [`Conv::pack`] fills and [`Conv::rows`] works in: blocks of filters, their ends, bytes of scratch.
pub fn memory(machine: Machine, sizes: &Sizes) -> Option<[usize; 3]> {
    let windows = Windows::new(machine, sizes)?;
    let ends = sizes.groups * (sizes.y[2] / sizes.groups).div_ceil(FILTERS);
    let copy = windows
        .copy
        .map_or(0, |_| windows.seen.next_multiple_of(64));
    Some([ends * windows.len(), ends, copy])
}

impl<'a> Conv<'a> {
    /// Packs filters, of which `filter` tells the elements, `[row][column][depth of a group]`; between the zero points
    /// of x and y.
    #[must_use]
    pub fn pack(
        machine: Machine,
        sizes: &Sizes,
        filter: impl Fn(usize, usize) -> i8,
        (channels, zeros): (&[Channel], [i8; 2]),
        (blocks, ends): (&mut [Block], &mut [Ends]),
    ) -> Option<()> {
        let windows = Windows::new(machine, sizes)?;
        let (len, of_group) = (windows.len(), sizes.y[2] / sizes.groups);
        let run =
            sizes.filter[0] * sizes.filter[1] * windows.group / (windows.runs[0] * windows.runs[1]);
        let all = run * windows.runs[0] * windows.runs[1] / windows.element;
        let element = |k: usize, at: usize| filter(k, at).max(-127);
        let element = &element;
        let firsts = (0..sizes.groups).flat_map(|group| {
            (0..of_group)
                .step_by(FILTERS)
                .map(move |first| [group, first])
        });
        for (([group, first], blocks), ends) in firsts.zip(pieces_mut(blocks, len)).zip(ends) {
            let count = FILTERS.min(of_group - first);
            let first = group * of_group + first;
            for (at, block) in blocks.iter_mut().enumerate() {
                let [of_run, quad] = [at / windows.quads * run, at % windows.quads * QUAD];
                for (k, quads) in block.iter_mut().enumerate() {
                    *quads = array::from_fn(|byte| {
                        let at = quad + byte;
                        if k >= count || at >= run {
                            return 0;
                        }
                        let w = element(first + k, (of_run + at) / windows.element);
                        // The second byte of a word is its sign.
                        match at % windows.element {
                            0 => w,
                            _ => w >> 7,
                        }
                    });
                }
            }
            let own = |at: usize| (0..all).map(move |e| element(first + at, e));
            *ends = Ends::new(machine, zeros, channels.get(first..first + count)?, own);
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
        let windows = Windows::new(machine, sizes)?;
        let [packed, channels, _] = memory(machine, sizes)?;
        (blocks.len() >= packed && ends.len() >= channels).then_some(Self {
            machine,
            sizes,
            blocks,
            ends,
            x_zero,
            y,
            windows,
        })
    }

    /// What [`rows`](Self::rows) reads: x, or its copy in `scratch`.
    #[must_use]
    pub fn laid_out<'x>(&self, x: &'x [i8], scratch: &'x mut [i8]) -> Option<&'x [i8]> {
        let Some([_, wide]) = self.windows.copy else {
            return Some(x);
        };
        let to = scratch.get_mut(..self.windows.seen)?;
        match self.windows.element {
            1 => {
                to.fill(self.x_zero);
                self.copy(x, wide, to, |to, from| {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                });
            }
            _ => with_pairs!(self.machine, dots => {
                dots.vectorize(
                    #[inline(always)]
                    || {
                        if self.windows.hangs_over(self.sizes) {
                            let zero = i16::from(self.x_zero).to_le_bytes().map(u8::cast_signed);
                            to.as_chunks_mut().0.fill(zero);
                        }
                        self.copy(
                            x,
                            wide,
                            to,
                            #[inline(always)]
                            |to, from| widen(dots, from, to),
                        );
                    },
                );
                Some(())
            })?,
        }
        Some(scratch)
    }

    /// Rows of x to where they are in a copy.
    #[inline(always)]
    fn copy(&self, x: &[i8], wide: usize, to: &mut [i8], put: impl Fn(&mut [i8], &[i8])) {
        let ([_, width, depth], [above, left]) = (self.sizes.x, self.sizes.before);
        let of_pixel = depth * self.windows.element;
        if [wide, left, above] == [width, 0, 0] {
            return put(to, x);
        }
        let rows = pieces_mut(to, wide * of_pixel).skip(above);
        for (to, from) in rows.zip(x.chunks(width * depth)) {
            // The last row may end before its border does.
            put(to.get_mut(left * of_pixel..).unwrap_or_default(), from);
        }
    }

    /// `y[oy][ox][k]` of the rows from `first` on, as many as y has.
    #[must_use]
    pub fn rows(&self, x: &[i8], first: usize, y: &mut [i8]) -> Option<()> {
        let [ho, wo, k] = self.sizes.y;
        let pixels = y.len().checked_div(k)?;
        let are_there = y.len().is_multiple_of(k) && first * wo + pixels <= ho * wo;
        if !are_there || x.len() < self.windows.seen {
            return None;
        }
        let pixels = [first, pixels, wo];
        match self.windows.element {
            1 => with!(self.machine, dots => self.tiled::<_, 1>(dots, x, pixels, y)),
            _ => with_pairs!(self.machine, dots => self.tiled::<_, 1>(dots, x, pixels, y)),
        }
    }

    /// Whether [`pooled`](Self::pooled) knows a pool of such sizes: of two by two, side by side.
    #[must_use]
    pub fn pools(&self, pool: &Sizes) -> bool {
        let Sizes { x, y, .. } = *pool;
        let inside = 2 * y[0] <= x[0] && 2 * y[1] <= x[1] && x[2] == y[2];
        is_two_by_two(pool) && inside && x == self.sizes.y
    }

    /// The largest of each two by two: of the sums, before they are bytes.
    #[must_use]
    pub fn pooled(&self, x: &[i8], pool: &Sizes, y: &mut [i8]) -> Option<()> {
        let [height, width, k] = pool.y;
        if !self.pools(pool) || y.len() != height * width * k || x.len() < self.windows.seen {
            return None;
        }
        let pixels = [0, height * width, width];
        match self.windows.element {
            1 => with!(self.machine, dots => self.tiled::<_, 4>(dots, x, pixels, y)),
            _ => with_pairs!(self.machine, dots => self.tiled::<_, 4>(dots, x, pixels, y)),
        }
    }

    /// So many pixels of y from a row on, each of Q windows: some blocks of filters after the others. The last
    /// come first, as [`tile`] may write beyond them, into the next pixel.
    fn tiled<D: Dots, const Q: usize>(
        &self,
        dots: D,
        x: &[i8],
        [first, pixels, width]: [usize; 3],
        y: &mut [i8],
    ) -> Option<()> {
        let (windows, k) = (&self.windows, self.sizes.y[2]);
        // From pixel to pixel, and from the end of a row to the next.
        let [down, across] = windows.pixels.map(|step| match Q {
            1 => step,
            _ => 2 * step,
        });
        let next_row = down.wrapping_sub(width * across);
        let start = first * windows.pixels[0];
        let more = [
            0,
            windows.pixels[1],
            windows.pixels[0],
            windows.pixels[0] + windows.pixels[1],
        ];
        let (len, of_group) = (windows.len(), k / self.sizes.groups);
        let (blocks, most) = (of_group.div_ceil(FILTERS), D::TILE[1] * D::LANES / FILTERS);
        for group in 0..self.sizes.groups {
            let x = x.get(group * windows.group..)?;
            let all = || groups(blocks, most);
            let last = all().filter(|[block, count]| block + count == blocks);
            let others = all().filter(|[block, count]| block + count < blocks);
            for [block, count] in last.chain(others) {
                let own = group * blocks + block;
                let k0 = group * of_group + block * FILTERS;
                let columns = k0..(k0 + count * FILTERS).min((group + 1) * of_group);
                let vectors = (count * FILTERS / D::LANES).min(columns.len().div_ceil(D::LANES));
                let tiles = match vectors {
                    1 => tiles::<D, 1, Q>(),
                    3.. if const { D::TILE[1] == 4 } => tiles::<D, 4, Q>(),
                    _ => tiles::<D, 2, Q>(),
                };
                // The last tile computes some pixels again.
                let of_tile = |&(size, _): &(usize, _)| pixels.div_ceil(size) * (size + 1);
                let fits = |&(size, _): &(usize, _)| size <= pixels;
                let Some((size, tile)) = tiles.into_iter().filter(fits).min_by_key(of_tile) else {
                    return Some(());
                };
                let mut from = Operands {
                    windows,
                    x,
                    places: [0; PIXELS],
                    filters: self.blocks.get(own * len..(own + count) * len)?,
                    ends: self.ends.get(own..own + count)?,
                    y: &self.y,
                    k,
                    count: columns.len(),
                    spills: self.sizes.groups == 1,
                };
                for at in (0..pixels).step_by(size) {
                    let at = at.min(pixels - size);
                    let mut ox = at % width;
                    let mut place = start + at / width * down + ox * across;
                    for places in from.places.chunks_exact_mut(Q).take(size) {
                        places
                            .iter_mut()
                            .zip(more)
                            .for_each(|(to, more)| *to = place + more);
                        (ox, place) = (ox + 1, place.wrapping_add(across));
                        if ox == width {
                            (ox, place) = (0, place.wrapping_add(next_row));
                        }
                    }
                    tile(dots, &from, y.get_mut(at * k + columns.start..)?)?;
                }
            }
        }
        Some(())
    }
}

/// Bytes as words, as many as there are and there is room for.
#[inline(always)]
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "x86 multiplies pairs")
)]
fn widen<D: Pairs>(dots: D, from: &[i8], to: &mut [i8]) {
    let (len, words) = (from.len().min(to.len() / 2), 2 * D::LANES);
    let Some(last) = len.checked_sub(words) else {
        for (to, &from) in to.as_chunks_mut().0.iter_mut().zip(from) {
            *to = i16::from(from).to_le_bytes().map(u8::cast_signed);
        }
        return;
    };
    for at in (0..len).step_by(words) {
        let at = at.min(last);
        // SAFETY: at + words <= len, which `from` has in bytes and `to` twice.
        unsafe {
            dots.put_words(
                dots.words(from.as_ptr().add(at)),
                to.as_mut_ptr().add(2 * at),
            )
        };
    }
}

/// 0 to `blocks` as some at a time: `most`, then halves of it. Where they begin, and how many.
fn groups(blocks: usize, most: usize) -> impl Iterator<Item = [usize; 2]> {
    let mut at = 0;
    iter::from_fn(move || {
        let count = most.min(1 << (blocks - at).checked_ilog2()?);
        at += count;
        Some([at - count, count])
    })
}

/// Windows of a tile at most.
const PIXELS: usize = 8;

/// What a tile reads, and of each pixel, k bytes after the one before, how many it writes.
struct Operands<'a> {
    windows: &'a Windows,
    x: &'a [i8],
    /// Where each window begins.
    places: [usize; PIXELS],
    /// Some blocks, one filter's after the others'.
    filters: &'a [Block],
    /// One for each of them.
    ends: &'a [Ends],
    y: &'a Quantization,
    k: usize,
    count: usize,
    /// Whether what lies behind them is written later.
    spills: bool,
}

type Tile<D> = fn(D, &Operands<'_>, &mut [i8]) -> Option<()>;

/// How many pixels of y each writes, and each a function that has the registers to itself.
fn tiles<D: Dots, const N: usize, const Q: usize>() -> [(usize, Tile<D>); 3] {
    macro_rules! of {
        ($($p:literal),*) => { [$(($p / Q, tile::<D, $p, N, Q> as Tile<D>)),*] };
    }
    match (N == D::TILE[1], Q, D::TILE[0]) {
        (false, 1, _) => of!(8, 4, 1),
        (false, ..) => of!(8, 4, 4),
        (_, 1, 6) => of!(6, 3, 1),
        (_, 1, 4) => of!(4, 2, 1),
        (_, 1, _) => of!(2, 1, 1),
        _ => of!(4, 4, 4),
    }
}

/// P windows by N vectors, of which the largest of each Q become a pixel.
fn tile<D: Dots, const P: usize, const N: usize, const Q: usize>(
    dots: D,
    from: &Operands<'_>,
    y: &mut [i8],
) -> Option<()> {
    dots.vectorize(
        #[inline(always)]
        || {
            let (windows, vectors) = (from.windows, FILTERS / D::LANES);
            let len = windows.len();
            let end = windows.steps[0] * (windows.runs[0] - 1)
                + windows.steps[1] * (windows.runs[1] - 1)
                + windows.quads * QUAD;
            let last = from.x.len().checked_sub(end)?;
            let mut x = [from.x.as_ptr(); P];
            for (x, &place) in x.iter_mut().zip(&from.places) {
                if place > last {
                    return None;
                }
                // SAFETY: place <= last <= x.len().
                *x = unsafe { x.add(place) };
            }
            if from.filters.len() < N.div_ceil(vectors) * len {
                return None;
            }
            let ends = from.ends.get(..N.div_ceil(vectors))?;
            let starts: [D::Sums; N] = array::from_fn(|n| {
                let start = &ends[n / vectors].start;
                // SAFETY: there are 16 numbers, from n % vectors · LANES on at least LANES.
                unsafe { dots.start(start.as_ptr().add(n % vectors * D::LANES)) }
            });
            let mut sums = [starts; P];
            let mut w = from.filters.as_ptr().cast::<i8>();
            let flip = dots.flip();
            for row in 0..windows.runs[0] {
                for tap in 0..windows.runs[1] {
                    let mut at = row * windows.steps[0] + tap * windows.steps[1];
                    for _ in 0..windows.quads {
                        let filters: [D::W; N] = array::from_fn(|n| {
                            let block = n / vectors * len * size_of::<Block>();
                            // SAFETY: w is at the block of this quad, of `len`, and behind it are those of as many
                            // filters as N vectors have.
                            unsafe { dots.filters(w.add(block + n % vectors * D::LANES * QUAD)) }
                        });
                        for p in 0..P {
                            // SAFETY: places[p] + at + 4 <= last + end = x.len().
                            let x = unsafe { dots.splat(x[p].add(at), flip) };
                            for n in 0..N {
                                sums[p][n] = dots.add(sums[p][n], x, filters[n]);
                            }
                        }
                        at += QUAD;
                        // SAFETY: this is done `len` times, and there are `len` blocks at least.
                        w = unsafe { w.add(size_of::<Block>()) };
                    }
                }
            }
            // Those that are numbered later stand in memory, and these in registers.
            let mut numbered = [[const { MaybeUninit::uninit() }; N]; P];
            for p in 0..P / Q {
                for n in 0..N {
                    let mut most = sums[p * Q][n];
                    for q in 1..Q {
                        most = dots.larger(most, sums[p * Q + q][n]);
                    }
                    numbered[p][n].write(most);
                }
            }
            let (numbered, to) = (&numbered[..P / Q], [from.k, from.count]);
            if !ends.iter().all(|ends| ends.is_narrow) {
                // SAFETY: all of these are written.
                return unsafe { finish(dots, numbered, (from.ends, 0), from.y, to, y) };
            }
            let bounds = [from.y.lower, from.y.upper];
            for (p, sums) in numbered.iter().enumerate() {
                // SAFETY: these are written.
                let mut narrowed = sums.map(|sums| unsafe { sums.assume_init() });
                for (n, sums) in narrowed.iter_mut().enumerate() {
                    let first = n % vectors * D::LANES;
                    // SAFETY: there are 16 filters, from `first` on at least LANES.
                    *sums = unsafe { dots.narrowed(*sums, &ends[n / vectors], first) };
                }
                let to = y.get_mut(p * from.k..)?;
                put::<D, N>(dots, narrowed, bounds, (from.count, from.spills), to)?;
            }
            Some(())
        },
    )
}

/// Writes the first `count` bytes of N vectors; all, if what lies behind them is written later.
#[inline(always)]
pub(super) fn put<D: Dots, const N: usize>(
    dots: D,
    sums: [D::Sums; N],
    bounds: [i8; 2],
    (count, spills): (usize, bool),
    y: &mut [i8],
) -> Option<()> {
    let all = N * D::LANES;
    if (spills || count == all) && y.len() >= all {
        // SAFETY: there is room for all.
        unsafe { dots.write(sums, bounds, y.as_mut_ptr()) };
        return Some(());
    }
    let mut bytes = [0; 4 * FILTERS];
    // SAFETY: N vectors are four blocks at most.
    unsafe { dots.write(sums, bounds, bytes.as_mut_ptr()) };
    y.get_mut(..count)?.copy_from_slice(bytes.get(..count)?);
    Some(())
}
