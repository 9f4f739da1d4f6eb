//! Between two bounds.

use core::ops::Bound;

use super::Activation;
use super::word::word;
use crate::{Real, Volume};

/// What is said of a bound that is none.
const FORM: &str = "a bound is a number, such as -1.0";

word! {
    /// `clamp(-1.0, 1.0)`: v, cut off at the bounds. See [`layer::Clamp`](crate::layer::Clamp).
    clamp {
        /// What is below becomes that.
        low: f64 = first(Takes::Decimal {
            default: None,
            range: (Bound::Excluded(f64::NEG_INFINITY), Bound::Excluded(f64::INFINITY)),
            form: FORM,
        }),
        /// What is above becomes that.
        high: f64 = first(Takes::Decimal {
            default: None,
            range: (Bound::Excluded(f64::NEG_INFINITY), Bound::Excluded(f64::INFINITY)),
            form: FORM,
        }),
    }
    Manner::Activates, Sees::Pixel;
    example: "clamp(-1.0, 1.0)",
    elsewhere: &["clip", "hardtanh"],
}

/// `min(max(v, low), high)`: the `clamp` of a declaration, ONNX's `Clip` and PyTorch's `Hardtanh`. `relu` and
/// `relu6` are faster, for they are computed with the filters in front.
///
/// Where `low` lies above `high`, everything becomes `high`. The gradient is zero at the bounds, as
/// `Hardtanh`'s. NaN stays NaN.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Activation, Clamp};
///
/// let mut v = Volume::<f64, 1, 3, 1>([[[-3.0], [0.5], [2.0]]]);
/// Clamp { low: -1.0, high: 1.0 }.forward(&mut v);
/// assert_eq!(v, Volume([[[-1.0], [0.5], [1.0]]]));
/// ```
///
/// Source: [ONNX, operator Clip](https://onnx.ai/onnx/operators/onnx__Clip.html).
#[doc(alias = "clip")]
#[doc(alias = "hardtanh")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clamp {
    /// What is below becomes that.
    pub low: f64,
    /// What is above becomes that.
    pub high: f64,
}

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Clamp
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        let (low, high) = (T::of(self.low), T::of(self.high));
        for v in v.as_mut_slice() {
            let above = if *v < low { low } else { *v };
            *v = if above > high { high } else { above };
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        let (low, high) = (T::of(self.low), T::of(self.high));
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv = if y > low && y < high { *dv } else { T::ZERO };
        }
    }
}
