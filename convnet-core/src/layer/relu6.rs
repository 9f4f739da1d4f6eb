//! Rectified linear unit with a ceiling.

use super::Activation;
use super::word::word;
use crate::kernel::Clamp;
use crate::{Real, Volume};

word! {
    /// `relu6`: min(max(0, v), 6). See [`layer::Relu6`](crate::layer::Relu6).
    relu6 {}
    Manner::Clamps, Sees::Pixel;
}

/// `min(max(0, v), 6)`: the `relu6` of a declaration.
///
/// The gradient at 0 and at 6 is zero, as in PyTorch. A ceiling keeps activations in a known range,
/// which is what 8 bits want. `-0.0` and NaN become zero and NaN; where there was NaN, the gradient passes,
/// as in PyTorch.
///
/// Source: Krizhevsky, *Convolutional Deep Belief Networks on CIFAR-10* (2010); Howard et al.,
/// *MobileNets* (2017).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relu6;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Relu6
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        Clamp::Relu6.apply(v.as_mut_slice());
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        let six = T::of(6.0);
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv = if y <= T::ZERO || y >= six {
                T::ZERO
            } else {
                *dv
            };
        }
    }
}
