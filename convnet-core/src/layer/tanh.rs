//! The hyperbolic tangent.

use super::Activation;
use super::word::word;
use crate::{Real, Volume, kernel};

word! {
    /// `tanh`: the hyperbolic tangent. See [`layer::Tanh`](crate::layer::Tanh).
    tanh {}
    Manner::Activates, Sees::Pixel;
}

/// `tanh(v)`: the `tanh` of a declaration.
///
/// Source: CS231n, *Commonly used activation functions*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tanh;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Tanh
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        if !kernel::tanh(v.as_mut_slice()) {
            for v in v.as_mut_slice() {
                *v = v.tanh();
            }
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv *= T::ONE - y * y;
        }
    }
}
