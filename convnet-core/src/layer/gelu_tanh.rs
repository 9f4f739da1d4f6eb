//! GELU by a hyperbolic tangent.

use super::bent::bent;
use super::word::word;
use crate::kernel::{self, GELU_CUBE, GELU_STEEP};
use crate::{Real, Volume};

word! {
    /// `gelu_tanh`: v·(1 + tanh(√(2/π)·(v + 0.044715·v³)))/2. See
    /// [`layer::GeluTanh`](crate::layer::GeluTanh).
    gelu_tanh {}
    Manner::ActivatesByInput, Sees::Pixel;
}

/// `v · (1 + tanh(√(2/π)·(v + 0.044715·v³))) / 2`: the `gelu_tanh` of a declaration, and PyTorch's
/// `GELU(approximate='tanh')`.
///
/// It is within 5e-4 of [`Gelu`](super::Gelu), and computed as `v · σ(2·√(2/π)·(v + 0.044715·v³))`, which is the
/// same. Backward reads the input, which the tape keeps; inference works in place.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{GeluTanh, InPlace};
///
/// let mut v = Volume::<f64, 1, 3, 1>([[[-1.0], [0.0], [1.0]]]);
/// GeluTanh.forward_in_place(&mut v);
/// let expected = [-0.158_808_009_39, 0.0, 0.841_191_990_61];
/// let differs = v.as_slice().iter().zip(expected).map(|(v, e)| (v - e).abs());
/// assert!(differs.fold(0.0, f64::max) < 1e-11);
/// ```
///
/// Source: Hendrycks and Gimpel, *Gaussian Error Linear Units* (2016), section 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeluTanh;

impl GeluTanh {
    fn values<T: Real>(v: &mut [T]) {
        if !kernel::gelu_tanh(v) {
            for v in v {
                *v *= Self::gate(*v);
            }
        }
    }

    #[inline(always)]
    fn gate<T: Real>(x: T) -> T {
        let bent = T::of(GELU_STEEP) * x * (T::ONE + T::of(GELU_CUBE) * x * x);
        (T::ONE + (-bent).exp()).recip()
    }

    /// σ + x·σ·(1 − σ)·2√(2/π)·(1 + 3·0.044715·x²).
    #[inline(always)]
    fn slope<T: Real>(x: T) -> T {
        let gate = Self::gate(x);
        let inner = T::of(GELU_STEEP) * (T::ONE + T::of(3.0 * GELU_CUBE) * x * x);
        gate + x * gate * (T::ONE - gate) * inner
    }
}

bent!(GeluTanh);
