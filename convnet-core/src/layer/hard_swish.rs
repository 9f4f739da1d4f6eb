//! Swish made of straight lines and one parabola.

use super::word::word;
use super::{InPlace, Layer};
use crate::kernel::at_level;
use crate::{Real, Volume};

word! {
    /// `hard_swish`: v·relu6(v + 3)/6. See [`layer::HardSwish`](crate::layer::HardSwish).
    hard_swish {}
    Manner::ActivatesByInput, Sees::Pixel;
}

/// `v · relu6(v + 3) / 6`: the `hard_swish` of a declaration.
///
/// It falls to −3/8 at −3/2 and rises again, so its output does not tell its input: backward reads
/// the input, which the tape keeps. Inference works in place all the same. At ±3, where it bends,
/// the gradient is the parabola's, as in PyTorch.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{HardSwish, InPlace};
///
/// let mut v = Volume([[[-3.0], [-1.5], [0.0], [3.0], [5.0]]]);
/// HardSwish.forward_in_place(&mut v);
/// assert_eq!(v, Volume([[[0.0], [-0.375], [0.0], [3.0], [5.0]]]));
/// ```
///
/// Source: Howard et al., *Searching for MobileNetV3* (2019), section 5.2.
#[doc(alias = "swish")]
#[doc(alias = "silu")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardSwish;

impl HardSwish {
    fn value<T: Real>(x: T) -> T {
        x * (x + T::of(3.0)).max(T::ZERO).min(T::of(6.0)) * T::of(1.0 / 6.0)
    }

    #[inline(always)]
    fn slope<T: Real>(x: T) -> T {
        let three = T::of(3.0);
        if x < -three {
            T::ZERO
        } else if x > three {
            T::ONE
        } else {
            x * T::of(1.0 / 3.0) + T::of(0.5)
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for HardSwish
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, &x) in y.as_mut_slice().iter_mut().zip(x.as_slice()) {
            *y = Self::value(x);
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        _: &mut Self,
    ) {
        let (dx, x, dy) = (dx.as_mut_slice(), x.as_slice(), dy.as_slice());
        at_level(
            #[inline(always)]
            || {
                for (dx, (&x, &dy)) in dx.iter_mut().zip(x.iter().zip(dy)) {
                    *dx = dy * Self::slope(x);
                }
            },
        );
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, H, W, D>, _: &mut Self) {}
}

impl<T: Real, const H: usize, const W: usize, const D: usize> InPlace<Volume<T, H, W, D>>
    for HardSwish
{
    fn forward_in_place(&self, v: &mut Volume<T, H, W, D>) {
        for v in v.as_mut_slice() {
            *v = Self::value(*v);
        }
    }
}
