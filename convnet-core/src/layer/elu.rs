//! A rectifier that is an exponential below zero.

use core::ops::Bound;

use super::Activation;
use super::word::word;
use crate::{Real, Volume, kernel};

/// α where a declaration says nothing.
const ALPHA: f64 = 1.0;

word! {
    /// `elu`, `elu(0.5)`: v, or α·(e^v − 1) below zero. See [`layer::Elu`](crate::layer::Elu).
    elu {
        /// α, how far down it comes, more than 0; 1 by default.
        alpha: f64 = first(Takes::Decimal {
            default: Some(ALPHA),
            range: (Bound::Excluded(0.0), Bound::Excluded(f64::INFINITY)),
            form: "alpha is a number above 0, such as 1.0",
        }),
    }
    Manner::Activates, Sees::Pixel;
    example: "elu(1.0)",
}

/// `v` where it is positive, `α·(exp(v) − 1)` elsewhere: the `elu` of a declaration, and PyTorch's `ELU`.
///
/// Backward knows the slope from the output: 1 above zero, `y + α` elsewhere. So α is positive.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Activation, Elu};
///
/// let mut v = Volume::<f64, 1, 3, 1>([[[-1.0], [0.0], [2.0]]]);
/// Elu { alpha: 1.0 }.forward(&mut v);
/// let expected = [-0.632_120_558_83, 0.0, 2.0];
/// let differs = v.as_slice().iter().zip(expected).map(|(v, e)| (v - e).abs());
/// assert!(differs.fold(0.0, f64::max) < 1e-11);
/// ```
///
/// Source: Clevert, Unterthiner and Hochreiter, *Fast and Accurate Deep Network Learning by Exponential Linear
/// Units* (2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    /// α, positive; 1 by default.
    pub alpha: f64,
}

impl Default for Elu {
    fn default() -> Self {
        Self { alpha: ALPHA }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Elu
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        let alpha = T::of(self.alpha);
        if !kernel::elu(v.as_mut_slice(), alpha) {
            for v in v.as_mut_slice() {
                *v = if *v > T::ZERO { *v } else { alpha * v.exp_m1() };
            }
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        let alpha = T::of(self.alpha);
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv = if y > T::ZERO { *dv } else { *dv * (y + alpha) };
        }
    }
}
