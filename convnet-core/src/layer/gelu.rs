//! A number times the share of the normal distribution that lies below it.

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::bent::bent;
use super::word::word;
use crate::{Real, Volume, kernel};

word! {
    /// `gelu`: v·Φ(v), with the exact Φ. See [`layer::Gelu`](crate::layer::Gelu).
    gelu {}
    Manner::ActivatesByInput, Sees::Pixel;
}

/// `v · Φ(v)`, where Φ(v) = (1 + erf(v/√2))/2 is the normal distribution: the `gelu` of a declaration, and
/// PyTorch's `GELU`. [`GeluTanh`](super::GeluTanh) is the approximation.
///
/// It falls to −0.170 at −0.752 and rises again, so backward reads the input, which the tape keeps.
/// Inference works in place; in `f32` it is within 2e-7 of v, or of 1.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Gelu, InPlace};
///
/// let mut v = Volume::<f64, 1, 3, 1>([[[-1.0], [0.0], [1.0]]]);
/// Gelu.forward_in_place(&mut v);
/// let expected = [-0.158_655_253_93, 0.0, 0.841_344_746_07];
/// let differs = v.as_slice().iter().zip(expected).map(|(v, e)| (v - e).abs());
/// assert!(differs.fold(0.0, f64::max) < 1e-11);
/// ```
///
/// Source: Hendrycks and Gimpel, *Gaussian Error Linear Units* (2016).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gelu;

/// Φ(x).
pub(crate) fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

impl Gelu {
    fn values<T: Real>(v: &mut [T]) {
        if !kernel::gelu(v) {
            for v in v {
                *v *= T::of(below(v.widen()));
            }
        }
    }

    /// Φ(x) + x·φ(x).
    #[inline(always)]
    fn slope<T: Real>(x: T) -> T {
        let density = T::of(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) * (-x * x * T::of(0.5)).exp();
        T::of(below(x.widen())) + x * density
    }
}

bent!(Gelu);
