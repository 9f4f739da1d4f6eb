//! Swish made of straight lines and one parabola.

use super::bent::bent;
use super::word::word;
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardSwish;

impl HardSwish {
    /// Compiled once a scalar. By comparisons: a `max` of floats is a call where there is no instruction for it.
    #[inline(never)]
    fn values<T: Real>(v: &mut [T]) {
        #[cfg(vfp)]
        if let Some(v) = T::as_f32_mut(v) {
            return crate::kernel::hard_swish(v);
        }
        let (three, six, sixth) = (T::of(3.0), T::of(6.0), T::of(1.0 / 6.0));
        for v in v {
            let shifted = *v + three;
            let low = if shifted < T::ZERO { T::ZERO } else { shifted };
            *v *= (if low > six { six } else { low }) * sixth;
        }
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

bent!(HardSwish);
