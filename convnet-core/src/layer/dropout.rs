//! Dropout: in training, neurons are silent at random.

use core::hint::select_unpredictable;

use super::word::word;
use crate::{AnyVolume, Real, Rng};
use core::ops::Bound;

word! {
    /// `dropout(0.5)`: in training, neurons are silent at random; at inference, nothing.
    ///
    /// See [`layer::Dropout`](crate::layer::Dropout).
    dropout {
        /// The probability of dropping a value, from 0 to below 1.
        rate: f64 = first(Takes::Decimal {
            default: None,
            range: (Bound::Included(0.0), Bound::Excluded(1.0)),
            form: "a rate is a number from 0 to below 1, such as 0.5",
        }),
    }
    Manner::Drops, Sees::Pixel;
    example: "dropout(0.5)",
}

/// Drops each value with probability `rate` while training: the `dropout` of a declaration.
///
/// Inverted dropout: what is kept is divided by 1 − rate, so inference does nothing at all. Which
/// values are kept is written to a mask as large as the volume (0, or 1/(1 − rate)), by which
/// backward multiplies the gradient.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Rng;
/// use convnet::layer::Dropout;
/// use convnet::Scores;
///
/// let mut v = Scores::<f32, 4>::ZERO;
/// v.as_mut_slice().fill(1.0);
/// let mut mask = Scores::ZERO;
/// Dropout { rate: 0.5 }.forward(&mut v, &mut mask, Rng::new(7));
/// assert!(v.as_slice().iter().all(|&v| v == 0.0 || v == 2.0));
/// assert_eq!(v, mask);
/// ```
///
/// Source: Srivastava et al., *Dropout* (2014); CS231n, *Regularization* (*Inverted dropout*).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The probability of dropping a value, 0 up to but not including 1.
    pub rate: f64,
}

impl Dropout {
    /// Drops some of `v`; `rng` decides which, and `mask` remembers. Each dropout of a network has
    /// a stream of its own.
    pub fn forward<V: AnyVolume<Scalar: Real>>(&self, v: &mut V, mask: &mut V, mut rng: Rng) {
        let kept = (1.0 - self.rate).recip();
        for (v, mask) in v.as_mut_slice().iter_mut().zip(mask.as_mut_slice()) {
            // A branch on a coin is mispredicted half of the time. In `f64`, as the draw: there the
            // comparison is a mask.
            let dropped = rng.uniform() < self.rate;
            *mask = V::Scalar::of(select_unpredictable(dropped, 0.0, kept));
            *v *= *mask;
        }
    }

    /// Turns the gradient on the output into the one on the input.
    pub fn backward<V: AnyVolume<Scalar: Real>>(&self, mask: &V, dv: &mut V) {
        for (dv, &mask) in dv.as_mut_slice().iter_mut().zip(mask.as_slice()) {
            *dv *= mask;
        }
    }
}
