//! Cross-entropy of probabilities, for networks that end in `softmax`.

use core::fmt;

use super::{Loss, LossError, right};
use crate::Real;

/// −log of the probability of the right class, where the scores *are* probabilities because the
/// network ends in `softmax`.
///
/// Prefer a network that ends in plain scores, and
/// [`SoftmaxCrossEntropy`](super::SoftmaxCrossEntropy): a probability that was rounded to 0 has
/// lost how wrong it is. Here it counts as the smallest normal number, so loss and gradient stay
/// finite (a loss of at most 87.4 in `f32`, 708.4 in `f64`).
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{CrossEntropy, Loss};
///
/// let mut d_scores = [0.0; 2];
/// let loss = CrossEntropy.loss(&[0.25_f64, 0.75], 0, &mut d_scores)?;
/// assert_eq!((loss, d_scores), (4_f64.ln(), [-4.0, 0.0]));
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
///
/// Source: CS231n, *Softmax classifier*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrossEntropy;

impl<T: Real> Loss<T> for CrossEntropy {
    fn loss(&self, scores: &[T], label: usize, d_scores: &mut [T]) -> Result<T, LossError> {
        let right = right(scores, label, d_scores)?;
        // Written so that NaN stays NaN.
        let right = if right < T::min_positive_value() {
            T::min_positive_value()
        } else {
            right
        };
        d_scores.fill(T::ZERO);
        d_scores[label] = -right.recip();
        Ok(-right.ln())
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        matches!(last, "fc" | "conv").then_some(
            "end the network in `softmax`; or, better, train by `SoftmaxCrossEntropy`, which is what a \
             trainer does unless it is told otherwise",
        )
    }
}

impl fmt::Display for CrossEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cross-entropy of probabilities")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_of_zero_gives_a_finite_loss() {
        let mut d_scores = [0.0_f32; 2];
        let loss = CrossEntropy.loss(&[0.0, 1.0], 0, &mut d_scores).unwrap();
        assert!((87.0..87.4).contains(&loss) && d_scores[0].is_finite());
        let nan = CrossEntropy
            .loss(&[f32::NAN, 1.0], 0, &mut d_scores)
            .unwrap();
        assert!(nan.is_nan());
    }
}
