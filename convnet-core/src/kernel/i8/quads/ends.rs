//! What a sum begins with, and how it becomes a byte.

use core::mem::MaybeUninit;

use super::{Dots, FILTERS, Machine};
use crate::kernel::i8::{Channel, Multiplier, Quantization};

/// What sixteen filters add to their sums and multiply them by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Ends {
    /// The bias, less what the zero point of x and a flipped bit are worth.
    pub(super) start: [i32; FILTERS],
    pub(super) mantissa: [i32; FILTERS],
    /// Those of the odd sums, at the places of the even ones.
    pub(super) odd: [i32; FILTERS],
    pub(super) left: [u32; FILTERS],
    pub(super) right: [u32; FILTERS],
    /// The half that rounds what is shifted out, and the zero point, in units of the product's upper half.
    pub(super) half: [i32; FILTERS],
    /// The same in 64 bits with the half of the product, in units of the product: those of the even sums, then those
    /// of the odd ones.
    pub(super) wide: [[i64; FILTERS / 2]; 2],
    /// Whether [`Dots::narrowed`] knows them: nothing is shifted to the left, something to the right, and no sum is
    /// 2³⁰ or more.
    pub(super) is_narrow: bool,
}

/// How far to the right sums are shifted at most, where a zero point may be added before: 2³⁰ + 2²¹ + 2²⁹ < 2³¹.
const NARROW: u32 = 22;

impl Ends {
    /// Nothing.
    pub const ZERO: Self = Self {
        start: [0; FILTERS],
        mantissa: [0; FILTERS],
        odd: [0; FILTERS],
        left: [0; FILTERS],
        right: [0; FILTERS],
        half: [0; FILTERS],
        wide: [[0; FILTERS / 2]; 2],
        is_narrow: false,
    };

    /// What all begin with and are multiplied by, whose sums are small; with the zero point of y.
    pub(super) fn of_all(start: i32, by: Multiplier, zero: i8) -> Self {
        let [mantissa, exponent] = by.parts();
        let right = exponent.min(0).unsigned_abs();
        let mut ends = Self {
            start: [start; FILTERS],
            mantissa: [mantissa; FILTERS],
            odd: [mantissa; FILTERS],
            left: [exponent.max(0).unsigned_abs(); FILTERS],
            right: [right; FILTERS],
            is_narrow: (1..=NARROW).contains(&right),
            ..Self::ZERO
        };
        ends.round_to(zero);
        ends
    }

    /// What is narrow is rounded, and moved to the zero point of y.
    fn round_to(&mut self, zero: i8) {
        if !self.is_narrow {
            return;
        }
        for (at, right) in self.right.into_iter().enumerate() {
            let half = (1 << (right - 1)) + (i32::from(zero) << right);
            self.half[at] = half;
            self.wide[at % 2][at / 2] = (i64::from(half) << 31) + (1 << 30);
        }
    }

    /// Of at most sixteen channels and all elements of the filter of each, between such zero points.
    pub(super) fn new<I: Iterator<Item = i8>>(
        machine: Machine,
        [x_zero, zero]: [i8; 2],
        channels: &[Channel],
        filter: impl Fn(usize) -> I,
    ) -> Self {
        // Of what is not there, zeros are shifted.
        let mut ends = Self {
            is_narrow: true,
            right: [1; FILTERS],
            ..Self::ZERO
        };
        // What is multiplied is x, or x + 128, where x − zero should be.
        let more = i32::from(x_zero) + i32::from(machine.flip());
        for (at, channel) in channels.iter().enumerate().take(FILTERS) {
            let sum = filter(at).fold(0i32, |sum, w| sum.wrapping_add(w.into()));
            let [mantissa, exponent] = channel.by.parts();
            ends.start[at] = channel.bias.wrapping_sub(sum.wrapping_mul(more));
            ends.mantissa[at] = mantissa;
            ends.odd[at & !1] = mantissa;
            ends.left[at] = exponent.max(0).unsigned_abs();
            let right = exponent.min(0).unsigned_abs();
            ends.right[at] = match mantissa {
                0 => 1,
                _ => right,
            };
            // An input is 255 from its zero point at most.
            let most = filter(at)
                .map(|w| 255 * i64::from(w.unsigned_abs()))
                .sum::<i64>();
            let most = most + i64::from(channel.bias.unsigned_abs());
            ends.is_narrow &= (1..=NARROW).contains(&ends.right[at]) && most < 1 << 30;
        }
        ends.round_to(zero);
        ends
    }
}

/// Writes the bytes of each pixel's sums, of vectors from `first` on; of each pixel, `pitch` bytes after the one before,
/// `count`. For what is not [narrow](Ends::is_narrow), by one function for any number of pixels.
///
/// # Safety
///
/// All sums are there.
#[inline(never)]
pub(super) unsafe fn finish<D: Dots, const N: usize>(
    dots: D,
    sums: &[[MaybeUninit<D::Sums>; N]],
    (ends, first): (&[Ends], usize),
    is: &Quantization,
    [pitch, count]: [usize; 2],
    y: &mut [i8],
) -> Option<()> {
    dots.vectorize(
        #[inline(always)]
        || {
            let of_block = FILTERS / D::LANES;
            for n in 0..N {
                let v = first + n;
                let by = dots.by(ends.get(v / of_block)?, v % of_block * D::LANES, is);
                for (p, sums) in sums.iter().enumerate() {
                    let y = y.get_mut(p * pitch..)?.get_mut(..count)?;
                    let y = y.get_mut(v * D::LANES..).unwrap_or_default();
                    // SAFETY: as the caller promises.
                    let sum = unsafe { sums[n].assume_init() };
                    write(dots.bytes(sum, &by).as_ref(), y);
                }
            }
            Some(())
        },
    )
}

/// Writes the first of `bytes`, as many as there is room for; of at most sixteen, in halves, none of which is a loop.
#[inline(always)]
pub(super) fn write(bytes: &[i8], y: &mut [i8]) {
    let rest = put::<16>(bytes, y);
    let rest = put::<8>(rest.0, rest.1);
    let rest = put::<4>(rest.0, rest.1);
    let rest = put::<2>(rest.0, rest.1);
    put::<1>(rest.0, rest.1);
}

/// Writes N bytes, if there are so many and room for them; and what is left of both.
#[inline(always)]
fn put<'a, 'b, const N: usize>(bytes: &'a [i8], y: &'b mut [i8]) -> (&'a [i8], &'b mut [i8]) {
    if bytes.len() < N || y.len() < N {
        return (bytes, y);
    }
    let ((bytes, rest), (to, room)) = (bytes.split_at(N), y.split_at_mut(N));
    to.copy_from_slice(bytes);
    (rest, room)
}
