//! Swish: a number times its own logistic function.

use super::bent::bent;
use super::word::word;
use crate::{Real, Volume, kernel};

word! {
    /// `silu`: v/(1 + e^−v), also called swish. See [`layer::Silu`](crate::layer::Silu).
    silu {}
    Manner::ActivatesByInput, Sees::Pixel;
    elsewhere: &["swish"],
}

/// `v / (1 + exp(−v))`: the `silu` of a declaration, PyTorch's `SiLU` and Keras's `swish`.
///
/// It falls to −0.278 at −1.278 and rises again, so backward reads the input, which the tape keeps.
/// Inference works in place.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{InPlace, Silu};
///
/// let mut v = Volume::<f64, 1, 3, 1>([[[-1.0], [0.0], [1.0]]]);
/// Silu.forward_in_place(&mut v);
/// let expected = [-0.268_941_421_37, 0.0, 0.731_058_578_63];
/// let differs = v.as_slice().iter().zip(expected).map(|(v, e)| (v - e).abs());
/// assert!(differs.fold(0.0, f64::max) < 1e-11);
/// ```
///
/// Source: Ramachandran, Zoph and Le, *Searching for Activation Functions* (2017); Hendrycks and Gimpel,
/// *Gaussian Error Linear Units* (2016), which calls it SiLU.
#[doc(alias = "swish")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silu;

impl Silu {
    fn values<T: Real>(v: &mut [T]) {
        if !kernel::silu(v) {
            for v in v {
                *v /= T::ONE + (-*v).exp();
            }
        }
    }

    /// σ·(1 + x·(1 − σ)).
    #[inline(always)]
    fn slope<T: Real>(x: T) -> T {
        let gate = (T::ONE + (-x).exp()).recip();
        gate * (T::ONE + x * (T::ONE - gate))
    }
}

bent!(Silu);
