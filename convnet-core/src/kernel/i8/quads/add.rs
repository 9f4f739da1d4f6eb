//! The sum of two volumes, in vectors.

use super::ends::write;
use super::{Dots, Ends, FILTERS, Machine, with};
use crate::kernel::i8::{self, Quantization};

/// [`Add`](crate::kernel::i8::Add), ready for a machine: what each volume begins with and is multiplied by, and their sum.
#[derive(Clone, Copy, Debug)]
pub struct Add {
    ends: [Ends; 3],
    y: Quantization,
}

impl Add {
    /// Of volumes with such zero points.
    #[must_use]
    pub fn new(add: &i8::Add, [x_zero, zero]: [i8; 2], y: Quantization) -> Self {
        let [x, other, sum] = add.by;
        let of = |zero: i8, by| Ends::of_all(-i32::from(zero), by, i8::add::BITS);
        Self {
            ends: [of(x_zero, x), of(zero, other), Ends::of_all(0, sum, 0)],
            y,
        }
    }

    /// `v` += `with`.
    pub fn accumulate(&self, machine: Machine, v: &mut [i8], with: &[i8]) {
        with!(machine, dots => self.all(dots, v, with));
    }

    fn all<D: Dots>(&self, dots: D, v: &mut [i8], with: &[i8]) {
        dots.vectorize(
            #[inline(always)]
            || {
                let [x, other, sum] = &self.ends;
                let [of_x, of_other, of_sum] = [
                    dots.by(x, 0, &self.y),
                    dots.by(other, 0, &self.y),
                    dots.by(sum, 0, &self.y),
                ];
                for (v, with) in v.chunks_mut(D::LANES).zip(with.chunks(D::LANES)) {
                    let own = scaled(dots, v, x, &of_x);
                    let with = scaled(dots, with, other, &of_other);
                    write(dots.bytes(dots.plus(own, with), &of_sum).as_ref(), v);
                }
            },
        );
    }
}

/// Of at most LANES bytes.
#[inline(always)]
fn scaled<D: Dots>(dots: D, bytes: &[i8], ends: &Ends, by: &D::By) -> D::Sums {
    let mut own = [0; FILTERS];
    write(bytes, &mut own);
    // SAFETY: there are sixteen bytes and numbers, of which LANES are as many at most.
    unsafe {
        let bytes = dots.widened(own.as_ptr());
        dots.times(dots.plus(dots.start(ends.start.as_ptr()), bytes), by)
    }
}
