//! # Int8: the arithmetic of TensorFlow Lite
//!
//! ```text
//!  x: i8 ──less its zero point──▶ × filters: i8 ──▶ Σ, and the bias: i32 ──by a multiplier──▶ + zero point
//!                                                                          ──clamped──▶ y: i8
//! ```
//!
//! A value v is stored as q, a byte, and stands for `scale · (q − zero)`: a [`Quantization`] a volume. Filters
//! have a scale each and no zero point. What a filter's sum is multiplied by, `scale of x · scale of the filter /
//! scale of y`, is no number of the board's but a [`Multiplier`]: 31 bits and a shift, rounded as TensorFlow Lite
//! does it, so that results are the same to the bit on every machine, there and here.
//!
//! Read `fixed`, then `filters`. These are the plain loops: the specification of each kernel.
//!
//! Sources: the TensorFlow Lite 8-bit quantization specification; Jacob et al., *Quantization and Training of
//! Neural Networks for Efficient Integer-Arithmetic-Only Inference*, 2018; for the numbers of `softmax`, gemmlowp's
//! fixed-point exponential and reciprocal. LiteRT's results are in `tests/int8`.
//!
//! **Invariant:** nothing is allocated, nothing panics, and no float is computed with where a network runs.
//! Sizes that do not fit are answered by [`None`], before or after a part of `y` was written.

use num_traits::float::FloatCore;

mod add;
mod dot;
#[cfg(dsp)]
mod dsp;
mod filters;
mod fixed;
#[cfg(helium)]
mod helium;
mod packed;
mod pool;
pub mod quads;
mod rows;
mod softmax;
mod table;
#[cfg(thumb1)]
mod thumb1;
mod tiles;
#[cfg(test)]
mod tiles_tests;
mod windows;

pub use add::{Add, Product, clamp, rescale};
pub use filters::{Channel, Filters};
pub use fixed::Multiplier;
pub(crate) use packed::PAIRS;
pub use packed::{Layout, Steps};
pub use pool::Pool;
pub use rows::by_rows;
pub use softmax::Softmax;
pub use table::{Table, hard_swish, leaky_relu, lookup, rescaled, tabulate};
pub use tiles::{Tiles, Walk};

/// What the bytes of a volume stand for, and which of them there are.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Quantization {
    /// The step from one byte to the next.
    pub scale: f32,
    /// The byte that stands for zero.
    pub zero: i8,
    /// The least byte that is stored.
    pub lower: i8,
    /// The largest.
    pub upper: i8,
}

impl Quantization {
    /// What a volume without values has.
    pub const NONE: Self = Self::new(1.0, 0);

    /// Any byte.
    #[must_use]
    pub const fn new(scale: f32, zero: i8) -> Self {
        Self {
            scale,
            zero,
            lower: i8::MIN,
            upper: i8::MAX,
        }
    }

    /// What covers the numbers from `low` to `high`, and zero exactly. (A range that is none covers
    /// zero only.)
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::kernel::i8::Quantization;
    ///
    /// let pixels = Quantization::covering(0.0, 1.0);
    /// assert_eq!((pixels.quantize(0.0), pixels.quantize(1.0)), (-128, 127));
    /// assert_eq!(pixels.real(127), 1.0);
    /// ```
    #[must_use]
    pub fn covering(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (f64::from(high) - f64::from(low)) / 255.0;
        if !(scale as f32).is_normal() {
            return Self::new(1.0, 0);
        }
        let zero = -128.0 - f64::from(low) / scale;
        Self::new(scale as f32, FloatCore::round(zero) as i8)
    }

    /// The nearest byte to `real`.
    #[must_use]
    pub fn quantize(&self, real: f32) -> i8 {
        let steps = FloatCore::round(real / self.scale);
        // A cast saturates.
        let byte = (steps as i32)
            .saturating_add(self.zero.into())
            .clamp(-128, 127);
        self.clamped(byte)
    }

    /// What `byte` stands for.
    #[must_use]
    pub fn real(&self, byte: i8) -> f32 {
        self.scale * f32::from(i16::from(byte) - i16::from(self.zero))
    }

    /// With the bounds of a `relu`: nothing below zero.
    #[must_use]
    pub fn relu(self) -> Self {
        let lower = self.lower.max(self.zero);
        Self { lower, ..self }
    }

    /// With the bounds of a `relu6`.
    #[must_use]
    pub fn relu6(self) -> Self {
        let upper = self.upper.min(self.quantize(6.0));
        Self {
            upper,
            ..self.relu()
        }
    }

    /// `value`, which is one of the volume's already less its zero point, as a byte.
    const fn stored(&self, value: i32) -> i8 {
        self.clamped(value.saturating_add(self.zero as i32))
    }

    const fn clamped(&self, byte: i32) -> i8 {
        if byte < self.lower as i32 {
            self.lower
        } else if byte > self.upper as i32 {
            self.upper
        } else {
            byte as i8
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_and_the_ends_are_near() {
        for (low, high) in [
            (0.0, 6.0),
            (-1.0, 1.0),
            (-3.5, 0.2),
            (-2.0, 0.0),
            (1.0, 2.0),
        ] {
            let q = Quantization::covering(low, high);
            assert_eq!(q.real(q.quantize(0.0)), 0.0);
            for v in [low.min(0.0), high, 0.5 * (low + high)] {
                assert!(
                    (q.real(q.quantize(v)) - v).abs() <= 0.51 * q.scale,
                    "{v} of {low}..{high}"
                );
            }
        }
        assert_eq!(Quantization::covering(0.0, 0.0), Quantization::new(1.0, 0));
        assert_eq!(
            Quantization::covering(f32::NAN, f32::NAN),
            Quantization::new(1.0, 0)
        );
        assert_eq!(
            Quantization::covering(0.0, f32::INFINITY),
            Quantization::new(1.0, 0)
        );
    }

    #[test]
    fn what_is_clamped_stays_inside() {
        let q = Quantization::covering(-2.0, 10.0).relu6();
        assert_eq!(q.real(q.lower), 0.0);
        assert!((q.real(q.upper) - 6.0).abs() <= 0.51 * q.scale);
        assert_eq!(q.quantize(-1.0), q.lower);
        assert_eq!(q.quantize(f32::INFINITY), q.upper);
        assert_eq!(q.quantize(f32::NAN), q.zero);
    }
}
