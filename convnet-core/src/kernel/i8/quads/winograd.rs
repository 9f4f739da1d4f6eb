//! Winograd's convolution in integers, for machines that multiply pairs of 16 bits as fast as they multiply bytes:
//! filters of 3x3 and stride 1, with a quarter of the products, or 4/9.
//!
//! ```text
//!   x: a tile of A×A ──Bᵀ·B──▶ V[A·A][tile][D], 16 bits ─┐
//!                                                        ├─ A·A products of matrices ─▶ M[A·A][tile][16], 32 bits
//!   filters 3×3 ───────G·Gᵀ──▶ U[16s][A·A][D/2][16][2] ──┘                                  │
//!   (packed once)                                    y: a tile of M×M, scale times ◀──Aᵀ·A──┘
//! ```
//!
//! It is exact. Rows of G, which have fractions, are multiplied until they are whole, so that sums are `scale` times
//! what they should be, 4 or 576, modulo 2³². An odd factor, 9, has an inverse there; what is left is a power of two,
//! and a shift to the right takes it out of any y that fits into the bits that remain: [`Tile::holds`].
//!
//! What is multiplied fits 16 bits: rows of Bᵀ have 2 or 10 as the sum of their distances from zero, so that V is
//! 128·10² at most; those of G have 12, so that U is 127·12² at most. A pair of products is below 2³¹.
//!
//! x is taken as it is, and its border is its zero point, as everywhere in [`quads`](super).

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

mod places;
mod products;
#[cfg(test)]
mod tests;
mod tile;
mod transform;

use core::array;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::slice;

use self::places::Places;
use self::products::products;
use self::transform::{sums, values};
use super::conv::put;
use super::ends::finish;
use super::{Block, Ends, FILTERS, Machine, Pairs, with_pairs};
use crate::kernel::Sizes;
use crate::kernel::i8::packed::is_two_by_two;
use crate::kernel::i8::{Channel, Quantization};
use crate::kernel::pieces::pieces_mut;
use crate::kernel::window::even;

pub use self::places::memory;
pub use self::tile::Tile;

/// Depths that are transformed at a time.
const WORDS: usize = 16;

/// One of nine, modulo 2³².
const NINTH: i32 = 0x38e3_8e39;
const _: () = assert!(NINTH.wrapping_mul(9) == 1);

/// Whether a pool is of two by two, inside the map.
fn pools(sizes: &Sizes, pool: &Sizes) -> bool {
    let [height, width, k] = pool.y;
    is_two_by_two(pool)
        && pool.x == sizes.y
        && 2 * height <= sizes.y[0]
        && 2 * width <= sizes.y[1]
        && k == sizes.y[2]
}

/// The `conv` whose filters are packed in points.
#[derive(Clone, Copy, Debug)]
pub struct Winograd<'a> {
    machine: Machine,
    sizes: &'a Sizes,
    tile: Tile,
    u: &'a [Block],
    ends: &'a [Ends],
    x_zero: i8,
    y: Quantization,
}

impl<'a> Winograd<'a> {
    /// Packs filters, of which `filter` tells the elements, `[row][column][depth]`; between the zero points of x and y.
    /// `None` if the tile does not [hold](Tile::holds) their sums.
    #[must_use]
    pub fn pack(
        (machine, tile): (Machine, Tile),
        sizes: &Sizes,
        filter: impl Fn(usize, usize) -> i8,
        (channels, zeros): (&[Channel], [i8; 2]),
        (blocks, ends): (&mut [Block], &mut [Ends]),
    ) -> Option<()> {
        let (depth, k, a) = (sizes.x[2], sizes.y[2], tile.reach());
        let pairs = Places::new(sizes, tile).pairs;
        let filter = |k: usize, at: usize| filter(k, at).max(-127);
        let firsts = (0..k).step_by(FILTERS);
        let panels = pieces_mut(blocks, tile.points() * pairs);
        for ((first, blocks), ends) in firsts.zip(panels).zip(ends) {
            let count = FILTERS.min(k - first);
            for lane in 0..count {
                let elements = (0..9 * depth).map(|at| filter(first + lane, at));
                let most = elements.map(|w| u64::from(w.unsigned_abs())).sum();
                if !tile.holds(most) {
                    return None;
                }
                for d in 0..depth {
                    let taps = array::from_fn(|fy| {
                        array::from_fn(|fx| filter(first + lane, (fy * 3 + fx) * depth + d).into())
                    });
                    for (row, u) in tile.rows().iter().zip(0..a) {
                        for (column, v) in tile.rows().iter().zip(0..a) {
                            let value = point(row, column, &taps).to_le_bytes();
                            let block = blocks.get_mut((u * a + v) * pairs + d / 2)?;
                            let at = d % 2 * 2;
                            block[lane][at..at + 2].copy_from_slice(&value.map(u8::cast_signed));
                        }
                    }
                }
            }
            let own = |lane: usize| (0..9 * depth).map(move |at| filter(first + lane, at));
            *ends = Ends::new(machine, zeros, channels.get(first..first + count)?, own);
        }
        Some(())
    }

    /// The layer, from what [`pack`](Self::pack) filled.
    #[must_use]
    pub fn new(
        (machine, tile): (Machine, Tile),
        sizes: &'a Sizes,
        (u, ends): (&'a [Block], &'a [Ends]),
        x_zero: i8,
        y: Quantization,
    ) -> Option<Self> {
        let [packed, channels, _] = memory(sizes, tile);
        let is_packed = u.len() >= packed && ends.len() >= channels;
        (is_packed && Tile::can(machine, sizes, None)).then_some(Self {
            machine,
            sizes,
            tile,
            u,
            ends,
            x_zero,
            y,
        })
    }

    /// `y[oy][ox][k]`, or with a pool the largest of each two by two.
    #[must_use]
    pub fn forward(
        &self,
        x: &[i8],
        pool: Option<&Sizes>,
        scratch: &mut [Block],
        y: &mut [i8],
    ) -> Option<()> {
        let shape = pool.map_or(self.sizes.y, |pool| pool.y);
        let [seen, written]: [usize; 2] = [self.sizes.x, shape].map(|axes| axes.iter().product());
        let fits = pool.is_none_or(|pool| pools(self.sizes, pool))
            && x.len() >= seen
            && y.len() == written;
        if !fits {
            return None;
        }
        with_pairs!(self.machine, dots => match (self.tile, pool.is_some()) {
            (Tile::Two, false) => self.blocks::<_, 4, 2, 2, 1>(dots, x, scratch, y),
            (Tile::Two, true) => self.blocks::<_, 4, 2, 2, 2>(dots, x, scratch, y),
            (Tile::Four, false) => self.blocks::<_, 6, 4, 2, 1>(dots, x, scratch, y),
            (Tile::Four, true) => self.blocks::<_, 6, 4, 2, 2>(dots, x, scratch, y),
        })
    }

    /// Some tiles after the others; N vectors are 16 filters, and the largest of Q by Q outputs become one.
    fn blocks<D: Pairs, const A: usize, const M: usize, const N: usize, const Q: usize>(
        &self,
        dots: D,
        x: &[i8],
        scratch: &mut [Block],
        y: &mut [i8],
    ) -> Option<()> {
        const { assert!(N * D::LANES == FILTERS && M + 2 == A) };
        let places = Places::new(self.sizes, self.tile);
        let [v, m, border] = places.sums(self.tile, self.sizes.x[2]);
        let scratch: &mut [i32] = bytemuck::try_cast_slice_mut(scratch).ok()?;
        let (v, rest) = scratch.split_at_mut_checked(v)?;
        let (m, rest) = rest.split_at_mut_checked(m)?;
        let v: &mut [i16] = bytemuck::cast_slice_mut(v);
        let border: &mut [i8] = bytemuck::cast_slice_mut(rest.get_mut(..border)?);
        border.fill(self.x_zero);
        let len = A * A * places.pairs;
        for tiles in even(places.all, places.most) {
            for (t, tile) in tiles.clone().enumerate() {
                let taps = self.taps::<A>(x, border, self.corner(tile, &places))?;
                let v = v.get_mut(t * places.pairs * 2..)?;
                input(dots, &taps, self.sizes.x[2], places.planes[0], v)?;
            }
            for (panel, ends) in self
                .ends
                .iter()
                .enumerate()
                .take(self.sizes.y[2].div_ceil(FILTERS))
            {
                let u = self.u.get(panel * len..)?.get(..len)?;
                for point in 0..A * A {
                    let v = v.get(point * places.planes[0]..)?;
                    let m = m.get_mut(point * places.planes[1]..)?;
                    let u = u.get(point * places.pairs..)?.get(..places.pairs)?;
                    products::<D, N>(dots, v, u, tiles.len(), m)?;
                }
                for (t, tile) in tiles.clone().enumerate() {
                    let corner = self.corner(tile, &places);
                    let m = m.get(t * FILTERS..)?;
                    let of = (panel * FILTERS, ends, places.planes[1]);
                    self.output::<D, A, M, N, Q>(dots, m, of, corner, y)?;
                }
            }
        }
        Some(())
    }

    /// The first output of a tile.
    fn corner(&self, tile: usize, places: &Places) -> [usize; 2] {
        let side = self.tile.side();
        [tile / places.across * side, tile % places.across * side]
    }

    /// The depth columns that a tile reads.
    fn taps<'x, const A: usize>(
        &self,
        x: &'x [i8],
        border: &'x [i8],
        [oy, ox]: [usize; 2],
    ) -> Option<[[&'x [i8]; A]; A]> {
        let ([height, width, depth], [above, left]) = (self.sizes.x, self.sizes.before);
        let mut taps = [[border.get(..depth)?; A]; A];
        let inside = |corner: usize, before: usize, size: usize| -> Range<usize> {
            let low = before.saturating_sub(corner).min(A);
            low..(size + before).saturating_sub(corner).clamp(low, A)
        };
        for r in inside(oy, above, height) {
            let row = (oy + r - above) * width;
            for c in inside(ox, left, width) {
                let at = (row + ox + c - left) * depth;
                taps[r][c] = x.get(at..)?.get(..depth)?;
            }
        }
        Some(taps)
    }

    /// The outputs of the first tile of `m`, of sixteen filters from `first` on.
    fn output<D: Pairs, const A: usize, const M: usize, const N: usize, const Q: usize>(
        &self,
        dots: D,
        m: &[i32],
        (first, ends, plane): (usize, &Ends, usize),
        [oy, ox]: [usize; 2],
        y: &mut [i8],
    ) -> Option<()> {
        dots.vectorize(
            #[inline(always)]
            || {
                let m = m.get(..(A * A - 1) * plane + FILTERS)?;
                let zero = none(dots);
                let mut outputs = [[[zero; N]; M]; M];
                for n in 0..N {
                    let mut tile = [[zero; A]; M];
                    for c in 0..A {
                        let mut column = [zero; A];
                        for r in 0..A {
                            let at = (r * A + c) * plane + n * D::LANES;
                            // SAFETY: at + LANES <= (A² − 1) · plane + 16 = m.len(), as r < A, c < A and n < N.
                            column[r] = unsafe { dots.start(m.as_ptr().add(at)) };
                        }
                        let column = sums::<D, A, M>(dots, column);
                        for r in 0..M {
                            tile[r][c] = column[r];
                        }
                    }
                    // SAFETY: there are 16 numbers.
                    let start = unsafe { dots.start(ends.start.as_ptr().add(n * D::LANES)) };
                    for r in 0..M {
                        let row = sums::<D, A, M>(dots, tile[r]);
                        for c in 0..M {
                            outputs[r][c][n] = dots.plus(exact::<D, M>(dots, row[c]), start);
                        }
                    }
                }
                let ([height, width, k], [oy, ox]) = (self.sizes.y, [oy / Q, ox / Q]);
                let [height, width] = [height / Q, width / Q];
                let (count, bounds) = (FILTERS.min(k - first), [self.y.lower, self.y.upper]);
                for r in 0..(M / Q).min(height.saturating_sub(oy)) {
                    for c in 0..(M / Q).min(width.saturating_sub(ox)) {
                        let mut pixel = outputs[r * Q][c * Q];
                        for q in 1..Q * Q {
                            for n in 0..N {
                                let other = outputs[r * Q + q / Q][c * Q + q % Q][n];
                                pixel[n] = dots.larger(pixel[n], other);
                            }
                        }
                        let y = y.get_mut(((oy + r) * width + ox + c) * k + first..)?;
                        if !ends.is_narrow {
                            let pixel = [pixel.map(MaybeUninit::new)];
                            let ends = slice::from_ref(ends);
                            // SAFETY: these are there.
                            unsafe { finish(dots, &pixel, (ends, 0), &self.y, [k, count], y) }?;
                            continue;
                        }
                        for n in 0..N {
                            // SAFETY: there are 16 filters, of which LANES from n · LANES on.
                            pixel[n] = unsafe { dots.narrowed(pixel[n], ends, n * D::LANES) };
                        }
                        put::<D, N>(dots, pixel, bounds, (count, false), y)?;
                    }
                }
                Some(())
            },
        )
    }
}

/// No sums.
#[inline(always)]
fn none<D: Pairs>(dots: D) -> D::Sums {
    // SAFETY: there are LANES numbers.
    unsafe { dots.start([0; FILTERS].as_ptr()) }
}

/// Sums by what their scale is, 4 or 576.
#[inline(always)]
fn exact<D: Pairs, const M: usize>(dots: D, sum: D::Sums) -> D::Sums {
    match const { M == 2 } {
        true => dots.right::<2>(sum),
        false => dots.right::<6>(dots.by_number(sum, NINTH)),
    }
}

/// A point of U: G g Gᵀ at one row and column.
fn point(row: &[i16; 3], column: &[i16; 3], taps: &[[i16; 3]; 3]) -> i16 {
    let dot = |a: [i16; 3], b: &[i16; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    dot(taps.map(|taps| dot(taps, column)), row)
}

/// Bᵀ d B of a tile, to every `plane` of `v`.
fn input<D: Pairs, const A: usize>(
    dots: D,
    taps: &[[&[i8]; A]; A],
    depth: usize,
    plane: usize,
    v: &mut [i16],
) -> Option<()> {
    dots.vectorize(
        #[inline(always)]
        || {
            let v = v.get_mut(..(A * A - 1) * plane + depth)?;
            let last = depth.checked_sub(WORDS)?;
            if taps.iter().flatten().any(|tap| tap.len() < depth) {
                return None;
            }
            for d in (0..depth).step_by(WORDS) {
                let d = d.min(last);
                // SAFETY: d + 16 <= depth <= the length of each.
                let zero = unsafe { dots.words(taps[0][0].as_ptr().add(d)) };
                let mut tile = [[zero; A]; A];
                for c in 0..A {
                    let mut column = [zero; A];
                    for r in 0..A {
                        // SAFETY: as above.
                        column[r] = unsafe { dots.words(taps[r][c].as_ptr().add(d)) };
                    }
                    let column = values::<D, A>(dots, column);
                    for r in 0..A {
                        tile[r][c] = column[r];
                    }
                }
                for r in 0..A {
                    let row = values::<D, A>(dots, tile[r]);
                    for c in 0..A {
                        let to = (r * A + c) * plane + d;
                        // SAFETY: to + 16 <= (A² − 1) · plane + depth = v.len(), as r < A and c < A.
                        unsafe { dots.put_words(row[c], v.as_mut_ptr().add(to).cast()) };
                    }
                }
            }
            Some(())
        },
    )
}
