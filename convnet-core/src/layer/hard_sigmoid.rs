//! The logistic function made of straight lines.

use super::Activation;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `hard_sigmoid`: relu6(v + 3)/6. See [`layer::HardSigmoid`](crate::layer::HardSigmoid).
    hard_sigmoid {}
    Manner::Activates, Sees::Pixel;
}

/// `relu6(v + 3) / 6`: the `hard_sigmoid` of a declaration, and PyTorch's `Hardsigmoid`.
///
/// The gradient is 1/6 where the output lies between 0 and 1, and zero elsewhere, at both ends as in
/// PyTorch. NaN stays NaN.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Activation, HardSigmoid};
///
/// let mut v = Volume([[[-4.0], [-3.0], [0.0], [1.5], [3.0]]]);
/// HardSigmoid.forward(&mut v);
/// assert_eq!(v, Volume([[[0.0], [0.0], [0.5], [0.75], [1.0]]]));
/// ```
///
/// Source: Howard et al., *Searching for MobileNetV3* (2019), section 5.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardSigmoid;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for HardSigmoid
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        let (three, six) = (T::of(3.0), T::of(6.0));
        for v in v.as_mut_slice() {
            let shifted = *v + three;
            let low = if shifted <= T::ZERO { T::ZERO } else { shifted };
            *v = if low >= six { six } else { low } / six;
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        let sixth = T::of(1.0 / 6.0);
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv = if y > T::ZERO && y < T::ONE {
                *dv * sixth
            } else {
                T::ZERO
            };
        }
    }
}
