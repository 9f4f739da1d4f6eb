//! Multiclass SVM: the right class must win by a margin.

use core::fmt;

use super::{Loss, LossError, right};
use crate::Real;

/// The multiclass SVM loss: Σ over the wrong classes of max(0, score − right score + delta), each
/// of them squared if so asked (CS231n's L2-SVM).
///
/// Not divided by the number of classes, as in CS231n (PyTorch's `MultiMarginLoss` divides). At the
/// kink, where a margin is exactly met, the gradient is that of the flat side.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{Hinge, Loss};
///
/// // CS231n's example, with its delta of 10: max(0, −7 − 13 + 10) + max(0, 11 − 13 + 10).
/// let mut d_scores = [0.0; 3];
/// let hinge = Hinge { delta: 10.0, ..Hinge::default() };
/// let loss = hinge.loss(&[13.0, -7.0, 11.0], 0, &mut d_scores)?;
/// assert_eq!((loss, d_scores), (8.0, [-1.0, 0.0, 1.0]));
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
///
/// Source: CS231n, *Multiclass Support Vector Machine loss*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hinge {
    /// The margin, 1 by default.
    pub delta: f64,
    /// Whether a violation counts squared; no by default.
    pub squared: bool,
}

impl Default for Hinge {
    fn default() -> Self {
        Self {
            delta: 1.0,
            squared: false,
        }
    }
}

impl<T: Real> Loss<T> for Hinge {
    fn loss(&self, scores: &[T], label: usize, d_scores: &mut [T]) -> Result<T, LossError> {
        let right = right(scores, label, d_scores)?;
        let delta = T::of(self.delta);
        // A score that is NaN must show in the loss, of one class too.
        let mut loss = if right.is_nan() { right } else { T::ZERO };
        let mut d_right = T::ZERO;
        for (class, (&score, d_score)) in scores.iter().zip(&mut *d_scores).enumerate() {
            let margin = score - right + delta;
            *d_score = T::ZERO;
            if class != label && (margin > T::ZERO || margin.is_nan()) {
                *d_score = if self.squared {
                    margin + margin
                } else {
                    T::ONE
                };
                loss += if self.squared {
                    margin * margin
                } else {
                    margin
                };
                d_right -= *d_score;
            }
        }
        d_scores[label] = d_right;
        Ok(loss)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        (last == "softmax")
            .then_some("leave `softmax` out of the declaration: margins are of scores")
    }
}

impl fmt::Display for Hinge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let squared = if self.squared { ", squared" } else { "" };
        write!(f, "multiclass SVM, delta {}{squared}", self.delta)
    }
}
