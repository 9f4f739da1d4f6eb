//! Leaky rectified linear unit.

use super::Activation;
use super::word::word;
use crate::{Real, Volume};
use core::ops::Bound;

/// The slope where a declaration says nothing.
const SLOPE: f64 = 0.01;

word! {
    /// `leaky_relu(0.01)`: v, or slope·v below zero. See [`layer::LeakyRelu`](crate::layer::LeakyRelu).
    leaky_relu {
        /// The slope below zero, between 0 and 1; 0.01 by default.
        slope: f64 = first(Takes::Decimal {
            default: Some(SLOPE),
            range: (Bound::Excluded(0.0), Bound::Excluded(1.0)),
            form: "a slope is a number between 0 and 1, such as 0.01",
        }),
    }
    Manner::Activates, Sees::Pixel;
    example: "leaky_relu(0.01)",
}

/// `v` where it is positive, `slope·v` elsewhere: the `leaky_relu` of a declaration.
///
/// Backward knows the input's sign from the output's, so the slope is positive.
///
/// Source: CS231n, *Commonly used activation functions*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope below zero, positive; 0.01 by default.
    pub slope: f64,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        Self { slope: SLOPE }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for LeakyRelu
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        let slope = T::of(self.slope);
        for v in v.as_mut_slice() {
            *v = if *v > T::ZERO { *v } else { slope * *v };
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        let slope = T::of(self.slope);
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv = if y > T::ZERO { *dv } else { slope * *dv };
        }
    }
}
