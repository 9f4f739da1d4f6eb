//! The logistic function.

use super::Activation;
use super::word::word;
use crate::{Real, Volume, kernel};

word! {
    /// `sigmoid`: 1/(1 + e^−v). See [`layer::Sigmoid`](crate::layer::Sigmoid).
    sigmoid {}
    Manner::Activates, Sees::Pixel;
}

/// `1 / (1 + exp(−v))`: the `sigmoid` of a declaration.
///
/// Source: CS231n, *Commonly used activation functions*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sigmoid;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Sigmoid
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        if !kernel::sigmoid(v.as_mut_slice()) {
            for v in v.as_mut_slice() {
                *v = (T::ONE + (-*v).exp()).recip();
            }
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv *= y * (T::ONE - y);
        }
    }
}
