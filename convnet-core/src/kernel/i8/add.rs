//! What works byte by byte between volumes that stand for different numbers.

use super::{Multiplier, Quantization};
use crate::kernel::pieces::{pieces, pieces_mut};

/// The sum of two volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add {
    /// By what each is multiplied before they are added, and their sum afterwards.
    pub by: [Multiplier; 3],
}

/// Bits that are kept below a unit while two volumes are added.
pub(super) const BITS: u32 = 20;

impl Add {
    /// Of volumes with the scales `x` and `with`, to one with the scale `y`.
    #[must_use]
    pub const fn new(x: f32, with: f32, y: f32) -> Self {
        let (x, with, y) = (x as f64, with as f64, y as f64);
        let twice = 2.0 * if x > with { x } else { with };
        let unit = (1u32 << BITS) as f64;
        Self {
            by: [
                Multiplier::of(x / twice),
                Multiplier::of(with / twice),
                Multiplier::of(twice / (unit * y)),
            ],
        }
    }

    /// `v` += `with`; `v` stood for `x`, and stands for `y` then.
    pub fn accumulate(&self, v: &mut [i8], x_zero: i8, with: (&[i8], i8), y: &Quantization) {
        let (with, zero) = with;
        let [by_x, by_with, by_sum] = self.by;
        let scaled =
            |v: i8, zero: i8, by: Multiplier| by.times((i32::from(v) - i32::from(zero)) << BITS);
        for (v, &with) in v.iter_mut().zip(with) {
            let sum = scaled(*v, x_zero, by_x).wrapping_add(scaled(with, zero, by_with));
            *v = y.stored(by_sum.times(sum));
        }
    }
}

/// The product of two volumes, or of a volume and a number for each of its depth slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// By what the product of two bytes is multiplied.
    pub by: Multiplier,
}

impl Product {
    /// Of volumes with the scales `x` and `with`, to one with the scale `y`.
    #[must_use]
    pub const fn new(x: f32, with: f32, y: f32) -> Self {
        Self {
            by: Multiplier::of((x * with / y) as f64),
        }
    }

    /// `y` = `with`·`x`, and `x` is as large, or a depth column; each with its zero point.
    pub fn forward(
        &self,
        (x, x_zero): (&[i8], i8),
        (with, zero): (&[i8], i8),
        (y, y_is): (&mut [i8], &Quantization),
    ) {
        let own = |v: i8, zero: i8| i32::from(v) - i32::from(zero);
        for (with, y) in pieces(with, x.len()).zip(pieces_mut(y, x.len())) {
            for (y, (&with, &x)) in y.iter_mut().zip(with.iter().zip(x)) {
                let product = own(with, zero) * own(x, x_zero);
                *y = y_is.stored(self.by.times(product));
            }
        }
    }
}

/// What is stored as `x` in the other units of `y`, whose scale is `by` of x's.
pub const fn rescale(x: i8, x_zero: i8, by: Multiplier, y: &Quantization) -> i8 {
    y.stored(by.times(x as i32 - x_zero as i32))
}

/// Every byte inside of the bounds.
pub fn clamp(v: &mut [i8], y: &Quantization) {
    for v in v {
        *v = y.clamped((*v).into());
    }
}
