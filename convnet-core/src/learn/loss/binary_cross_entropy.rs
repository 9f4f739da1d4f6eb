//! Binary cross-entropy: several labels, each of them a yes or a no.

use core::fmt;

use super::{Loss, LossError, same_length};
use crate::Real;

/// The mean over all scores s of −log p where the label is there and −log(1 − p) where it is not,
/// with p = 1/(1 + e⁻ˢ). The network ends in plain scores (*logits*): this takes `sigmoid` itself, where
/// it can neither overflow nor round to a logarithm of 0. A score above 0 says yes.
///
/// A target is the labels that are there, as `bool`s, or probabilities from 0 to 1.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{BinaryCrossEntropy, Loss};
///
/// let mut d_scores = [0.0; 2];
/// let loss = BinaryCrossEntropy.loss(&[0.0_f64, 1000.0], &[true, false][..], &mut d_scores)?;
/// assert_eq!((loss, d_scores), ((2_f64.ln() + 1000.0) / 2.0, [-0.25, 0.5]));
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
///
/// As PyTorch's `BCEWithLogitsLoss`. Source: CS231n, *Attribute classification* in *Neural Networks
/// Part 2*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BinaryCrossEntropy;

impl<T: Real> Loss<T, &[bool]> for BinaryCrossEntropy {
    fn loss(&self, scores: &[T], labels: &[bool], d_scores: &mut [T]) -> Result<T, LossError> {
        let share = same_length(scores, labels, d_scores)?;
        let labels = labels
            .iter()
            .map(|&label| if label { T::ONE } else { T::ZERO });
        Ok(mean(share, scores, labels, d_scores))
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        refuses(last)
    }
}

impl<T: Real> Loss<T, &[f32]> for BinaryCrossEntropy {
    fn loss(&self, scores: &[T], target: &[f32], d_scores: &mut [T]) -> Result<T, LossError> {
        let share = same_length(scores, target, d_scores)?;
        let target = target.iter().map(|&probability| T::of(probability.into()));
        Ok(mean(share, scores, target, d_scores))
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        refuses(last)
    }
}

fn refuses(last: &str) -> Option<&'static str> {
    let twice = matches!(last, "sigmoid" | "softmax");
    twice.then_some("leave that layer out of the declaration: this loss takes `sigmoid` itself")
}

fn mean<T: Real>(share: T, scores: &[T], target: impl Iterator<Item = T>, d_scores: &mut [T]) -> T {
    let mut loss = T::ZERO;
    for ((&s, target), d) in scores.iter().zip(target).zip(d_scores) {
        // Of p and 1 − p the smaller is q/(1 + q), the other 1/(1 + q): neither rounds to 0 or 1.
        let q = (-s.abs()).exp();
        let [small, large] = [q, T::ONE].map(|part| part / (T::ONE + q));
        let (yes, no) = if s > T::ZERO {
            (large, small)
        } else {
            (small, large)
        };
        *d = share * ((T::ONE - target) * yes - target * no);
        // −log p = log(1 + q) + max(−s, 0), and −log(1 − p) is s more.
        let at_least = if s > T::ZERO {
            (T::ONE - target) * s
        } else {
            target * -s
        };
        loss += share * (q.ln_1p() + at_least);
    }
    loss
}

impl fmt::Display for BinaryCrossEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("binary cross-entropy")
    }
}
