//! The sum and the product of two volumes, in vectors.

use super::{AT_ONCE, Dots, Ends, FILTERS, Machine, with};
use crate::kernel::i8::{self, Multiplier, Quantization};
use crate::kernel::pieces::{pieces, pieces_mut};

/// [`Add`](crate::kernel::i8::Add), ready for a machine.
///
/// The larger of the scales is multiplied by a half, which is a shift.
#[derive(Clone, Copy, Debug)]
pub struct Add {
    plain: i8::Add,
    zeros: [i8; 2],
    y: Quantization,
    /// Of the volume with the larger scale, of the other one, and of their sum; if there are vectors for them.
    ends: Option<[Ends; 3]>,
    /// Whether the other volume is multiplied by a half, too.
    are_halves: bool,
    /// Whether the sum lies where the volume with the smaller scale did.
    swapped: bool,
}

impl Add {
    /// Of volumes with such zero points.
    #[must_use]
    pub fn new(plain: i8::Add, zeros: [i8; 2], y: Quantization) -> Self {
        const HALF: Multiplier = Multiplier::of(0.5);
        let [x, with, sum] = plain.by;
        let swapped = x != HALF;
        let [(half, of_half), (other, by)] = match swapped {
            true => [(zeros[1], with), (zeros[0], x)],
            false => [(zeros[0], x), (zeros[1], with)],
        };
        let are_halves = by == HALF;
        let ends = [
            Ends::of_all(-i32::from(half), of_half, 0),
            Ends::of_all(-i32::from(other), by, 0),
            Ends::of_all(0, sum, y.zero),
        ];
        let is_narrow = (are_halves || ends[1].is_narrow) && ends[2].is_narrow;
        Self {
            plain,
            zeros,
            y,
            ends: (of_half == HALF && is_narrow).then_some(ends),
            are_halves,
            swapped,
        }
    }

    /// `v` += `with`.
    pub fn accumulate(&self, machine: Machine, v: &mut [i8], with: &[i8]) {
        let Some(ends) = &self.ends else {
            let [x_zero, zero] = self.zeros;
            return self.plain.accumulate(v, x_zero, (with, zero), &self.y);
        };
        match self.are_halves {
            true => with!(machine, dots => self.all::<_, true>(dots, ends, v, with)),
            false => with!(machine, dots => self.all::<_, false>(dots, ends, v, with)),
        }
    }

    fn all<D: Dots, const HALVES: bool>(
        &self,
        dots: D,
        ends: &[Ends; 3],
        v: &mut [i8],
        with: &[i8],
    ) {
        dots.vectorize(
            #[inline(always)]
            || {
                let bytes = AT_ONCE * D::LANES;
                let (mut all, mut others) = (v.chunks_exact_mut(bytes), with.chunks_exact(bytes));
                for (v, with) in (&mut all).zip(&mut others) {
                    // SAFETY: there are AT_ONCE·LANES of each.
                    unsafe {
                        self.some::<D, HALVES>(dots, ends, v.as_mut_ptr(), with.as_ptr());
                    }
                }
                let (mut own, mut other) = ([0; AT_ONCE * FILTERS], [0; AT_ONCE * FILTERS]);
                let (v, with) = (all.into_remainder(), others.remainder());
                own.iter_mut().zip(&*v).for_each(|(to, v)| *to = *v);
                other.iter_mut().zip(with).for_each(|(to, v)| *to = *v);
                // SAFETY: there are AT_ONCE·FILTERS of each, and LANES is FILTERS at most.
                unsafe {
                    self.some::<D, HALVES>(dots, ends, own.as_mut_ptr(), other.as_ptr());
                }
                v.iter_mut().zip(own).for_each(|(v, sum)| *v = sum);
            },
        );
    }

    /// # Safety
    ///
    /// There are `AT_ONCE`·LANES bytes of each.
    #[inline(always)]
    unsafe fn some<D: Dots, const HALVES: bool>(
        &self,
        dots: D,
        [of_half, by, sum]: &[Ends; 3],
        v: *mut i8,
        with: *const i8,
    ) {
        let [half, other] = match self.swapped {
            true => [with, v.cast_const()],
            false => [v.cast_const(), with],
        };
        // SAFETY: there are sixteen numbers, of which LANES are as many at most.
        let mut sums = [unsafe { dots.start(sum.start.as_ptr()) }; AT_ONCE];
        for (n, to) in sums.iter_mut().enumerate() {
            let at = n * D::LANES;
            // SAFETY: n < AT_ONCE, there are the bytes, as the caller promises, and sixteen filters.
            *to = unsafe {
                let half = dots.left::<HALF_BITS>(widened(dots, half.add(at), of_half));
                let other = widened(dots, other.add(at), by);
                let other = match HALVES {
                    true => dots.left::<HALF_BITS>(other),
                    false => dots.narrowed(dots.left::<BITS>(other), by, 0),
                };
                dots.narrowed(dots.plus(half, other), sum, 0)
            };
        }
        // SAFETY: there is room for them, as the caller promises.
        unsafe { dots.write(sums, [self.y.lower, self.y.upper], v) }
    }
}

/// By how much a volume is shifted before it is multiplied, and by how much if that is by a half.
const BITS: i32 = i8::add::BITS.cast_signed();
const HALF_BITS: i32 = BITS - 1;

/// [`Product`](crate::kernel::i8::Product), ready for a machine.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    plain: i8::Product,
    zeros: [i8; 2],
    y: Quantization,
    /// Of x, and of what it is multiplied with, whose start is all that counts.
    ends: [Ends; 2],
}

impl Product {
    /// Of volumes with such zero points.
    #[must_use]
    pub fn new(plain: i8::Product, zeros: [i8; 2], y: Quantization) -> Self {
        let ends = zeros.map(|zero| Ends::of_all(-i32::from(zero), plain.by, y.zero));
        Self {
            plain,
            zeros,
            y,
            ends,
        }
    }

    /// `y` = `with`·`x`, and `x` is as large, or a depth column.
    pub fn forward(&self, machine: Machine, x: &[i8], with: &[i8], y: &mut [i8]) {
        match self.ends[0].is_narrow {
            true => with!(machine, dots => self.all(dots, x, with, y)),
            false => self.rest(x, with, y),
        }
    }

    fn rest(&self, x: &[i8], with: &[i8], y: &mut [i8]) {
        let [x_zero, zero] = self.zeros;
        let (x, with) = ((x, x_zero), (with, zero));
        self.plain.forward(x, with, (y, &self.y));
    }

    fn all<D: Dots>(&self, dots: D, x: &[i8], with: &[i8], y: &mut [i8]) {
        dots.vectorize(
            #[inline(always)]
            || {
                for (with, y) in pieces(with, x.len()).zip(pieces_mut(y, x.len())) {
                    match x.len() < AT_ONCE * D::LANES {
                        true => self.column::<D, 1>(dots, x, with, y),
                        false => self.column::<D, AT_ONCE>(dots, x, with, y),
                    }
                }
            },
        );
    }

    /// N vectors at a time, of which the last compute some bytes again.
    #[inline(always)]
    fn column<D: Dots, const N: usize>(&self, dots: D, x: &[i8], with: &[i8], y: &mut [i8]) {
        let ([of_x, of_with], len) = (&self.ends, x.len().min(with.len()).min(y.len()));
        let Some(last) = len.checked_sub(N * D::LANES) else {
            return self.rest(x, with, y);
        };
        for at in (0..len).step_by(N * D::LANES) {
            let at = at.min(last);
            // SAFETY: there are sixteen numbers, of which LANES are as many at most.
            let mut products = [unsafe { dots.start(of_x.start.as_ptr()) }; N];
            for (n, to) in products.iter_mut().enumerate() {
                let at = at + n * D::LANES;
                // SAFETY: at + LANES <= len, which both have, and there are sixteen filters.
                *to = unsafe {
                    let x = widened(dots, x.as_ptr().add(at), of_x);
                    let with = widened(dots, with.as_ptr().add(at), of_with);
                    dots.narrowed(dots.product(x, with), of_x, 0)
                };
            }
            let bounds = [self.y.lower, self.y.upper];
            // SAFETY: at + N·LANES <= len, which y has.
            unsafe { dots.write(products, bounds, y.as_mut_ptr().add(at)) };
        }
    }
}

/// How far LANES bytes are from the zero point.
///
/// # Safety
///
/// There are so many.
#[inline(always)]
unsafe fn widened<D: Dots>(dots: D, bytes: *const i8, ends: &Ends) -> D::Sums {
    // SAFETY: there are the bytes, as the caller promises, and sixteen numbers, of which LANES are as many at most.
    unsafe { dots.plus(dots.start(ends.start.as_ptr()), dots.widened(bytes)) }
}
