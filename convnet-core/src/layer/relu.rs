//! Rectified linear unit.

use super::Activation;
use super::word::word;
use crate::kernel::Clamp;
use crate::{Real, Volume};

word! {
    /// `relu`: max(0, v). See [`layer::Relu`](crate::layer::Relu).
    relu {}
    Manner::Clamps, Sees::Pixel;
}

/// `max(0, v)`: the `relu` of a declaration.
///
/// The gradient at zero is zero. `-0.0` and NaN become zero and NaN; where there was NaN, the gradient
/// passes, as in PyTorch.
///
/// Source: CS231n, *Commonly used activation functions*.
#[doc(alias = "rectifier")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relu;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Relu
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        Clamp::Relu.apply(v.as_mut_slice());
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv = if y <= T::ZERO { T::ZERO } else { *dv };
        }
    }
}
