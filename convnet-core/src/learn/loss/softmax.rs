//! Softmax and cross-entropy in one: how surprised the network is by the right class.

use core::fmt;

use super::{Loss, LossError, right, same_length};
use crate::{Real, kernel};

/// −log of the probability that [`softmax`] gives to the right class; the network ends in plain
/// scores.
///
/// `d_scores` is `probabilities − target`. The target is 1 for the right class and 0 for the
/// others, or, smoothed, `1 − smoothing + smoothing/K` and `smoothing/K`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{Loss, SoftmaxCrossEntropy};
///
/// let mut d_scores = [0.0; 2];
/// let loss = SoftmaxCrossEntropy::default().loss(&[1e4, 1e4], 0, &mut d_scores)?;
/// assert_eq!(loss, 2_f64.ln()); // and no overflow
/// assert_eq!(d_scores, [-0.5, 0.5]);
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
///
/// Sources: CS231n, *Softmax classifier* and its *Practical issues: Numeric stability*; for
/// smoothing, C. Szegedy et al., *Rethinking the Inception architecture*, 2016, section 7.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftmaxCrossEntropy {
    /// How much of the target is spread evenly over all classes: 0 (the default) to 1. What lies
    /// outside counts as the nearer end.
    pub smoothing: f64,
}

impl<T: Real> Loss<T> for SoftmaxCrossEntropy {
    fn loss(&self, scores: &[T], label: usize, d_scores: &mut [T]) -> Result<T, LossError> {
        let right = right(scores, label, d_scores)?;
        let smoothing = T::of(self.smoothing.clamp(0.0, 1.0));
        let [max, rest, sum] = exponentials(scores, d_scores);
        // p − 1 is minus the others' share: for a network that is sure, with p next to 1, the
        // subtraction would leave rounding only.
        let classes = d_scores.iter().enumerate();
        let others = classes.filter(|&(class, _)| class != label);
        let others: T = others.map(|(_, &d_score)| d_score).sum();
        for (class, d_score) in d_scores.iter_mut().enumerate() {
            if class == label {
                *d_score = smoothing - others / sum;
            } else {
                *d_score /= sum;
            }
        }

        // −log p(k) = log Σ exp(s − max) − (s(k) − max), and the largest term of the sum is 1.
        let surprise = |score: T| rest.ln_1p() + (max - score);
        let mut loss = (T::ONE - smoothing) * surprise(right);
        if smoothing > T::ZERO {
            let share = smoothing / scores.iter().map(|_| T::ONE).sum();
            loss += share * scores.iter().map(|&score| surprise(score)).sum();
            d_scores.iter_mut().for_each(|d_score| *d_score -= share);
        }
        Ok(loss)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        (last == "softmax").then_some(
            "leave `softmax` out of the declaration, for this loss takes it itself (`loss::softmax` makes \
             probabilities of scores); or train by `.loss(CrossEntropy)`",
        )
    }
}

/// The target is a share of each class, which add up to 1: one that is 1 among zeros says a class.
///
/// As PyTorch's `CrossEntropyLoss` with probabilities of classes.
impl<T: Real> Loss<T, &[f32]> for SoftmaxCrossEntropy {
    fn loss(&self, scores: &[T], shares: &[f32], d_scores: &mut [T]) -> Result<T, LossError> {
        let one = same_length(scores, shares, d_scores)?;
        let smoothing = T::of(self.smoothing.clamp(0.0, 1.0));
        let [max, rest, sum] = exponentials(scores, d_scores);
        let all: T = shares.iter().map(|&share| T::of(share.into())).sum();
        let mut loss = T::ZERO;
        for ((&score, &share), d) in scores.iter().zip(shares).zip(d_scores) {
            let share = (T::ONE - smoothing) * T::of(share.into()) + smoothing * all * one;
            loss += share * (rest.ln_1p() + (max - score));
            *d = all * *d / sum - share;
        }
        Ok(loss)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        Loss::<T, usize>::refuses(self, last)
    }
}

impl fmt::Display for SoftmaxCrossEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("softmax cross-entropy")?;
        if self.smoothing > 0.0 {
            write!(f, ", labels smoothed by {}", self.smoothing)?;
        }
        Ok(())
    }
}

/// Writes the probabilities that belong to `scores`: they are in [0, 1] and add up to 1.
///
/// As many as the shorter slice holds; NaN where a score is NaN or +∞.
///
/// ```
/// # use convnet_core as convnet;
/// let mut probabilities = [0.0; 3];
/// convnet::loss::softmax(&[1000.0_f32, 1000.0, -1000.0], &mut probabilities);
/// assert_eq!(probabilities, [0.5, 0.5, 0.0]);
/// ```
pub fn softmax<T: Real>(scores: &[T], probabilities: &mut [T]) {
    let [_, _, sum] = exponentials(scores, probabilities);
    for probability in probabilities.iter_mut().take(scores.len()) {
        *probability /= sum;
    }
}

/// Writes exp(score − max), which cannot overflow. Returns max, the sum of what is written but for
/// the first of the largest, and the sum of all.
fn exponentials<T: Real>(scores: &[T], out: &mut [T]) -> [T; 3] {
    let max = scores.iter().copied().fold(T::neg_infinity(), T::max);
    let len = out.len().min(scores.len());
    let out = out.get_mut(..len).unwrap_or_default();
    for (out, &score) in out.iter_mut().zip(scores) {
        *out = score - max;
    }
    if !kernel::exp(out) {
        out.iter_mut().for_each(|out| *out = out.exp());
    }
    let (mut largest, mut rest) = (None, T::ZERO);
    for (out, &score) in out.iter().zip(scores) {
        if largest.is_none() && score == max {
            largest = Some(*out);
        } else {
            rest += *out;
        }
    }
    [max, rest, rest + largest.unwrap_or(T::ZERO)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_scores_give_finite_losses() {
        let mut d_scores = [0.0_f32; 3];
        let loss = SoftmaxCrossEntropy::default().loss(&[3e38, -3e37, 0.0], 1, &mut d_scores);
        assert_eq!(loss, Ok(3.3e38));
        assert_eq!(d_scores, [1.0, -1.0, 0.0]);
    }

    /// Two scores 20 apart: the loss is log(1 + e⁻²⁰), its gradient 1/(1 + e²⁰). In `f32` the right
    /// class has probability 1.
    #[test]
    fn a_sure_network_still_learns() {
        let mut d_scores = [0.0_f32; 2];
        let loss = SoftmaxCrossEntropy::default()
            .loss(&[20.0, 0.0], 0, &mut d_scores)
            .unwrap();
        let expected = 2.061_153_6e-9;
        assert!((loss / expected - 1.0).abs() < 1e-6, "{loss}");
        assert!((d_scores[0] / -expected - 1.0).abs() < 1e-6, "{d_scores:?}");
        assert!((d_scores[1] / expected - 1.0).abs() < 1e-6, "{d_scores:?}");
    }

    #[test]
    fn a_share_of_one_is_a_class() {
        let (scores, loss) = ([0.3_f64, -1.2, 2.0], SoftmaxCrossEntropy { smoothing: 0.1 });
        let mut gradients = [[0.0; 3]; 2];
        let [by_class, by_share] = &mut gradients;
        let losses = [
            loss.loss(&scores, 1, by_class).unwrap(),
            loss.loss(&scores, &[0.0, 1.0, 0.0][..], by_share).unwrap(),
        ];
        assert!((losses[0] - losses[1]).abs() < 1e-6, "{losses:?}");
        for (a, b) in by_class.iter().zip(by_share) {
            assert!((*a - *b).abs() < 1e-6, "{gradients:?}");
        }
    }

    /// By its definition: the mixture of the losses of all labels.
    #[test]
    fn smoothing_mixes_the_losses_of_all_labels() {
        let (scores, label, mut d_scores) = ([0.3, -1.2, 2.0, 0.7], 2, [0.0_f64; 4]);
        let mut mixed = [0.0; 5];
        for k in 0..4 {
            let loss = SoftmaxCrossEntropy::default()
                .loss(&scores, k, &mut d_scores)
                .unwrap();
            let weight = 0.1 / 4.0 + if k == label { 0.9 } else { 0.0 };
            mixed[4] += weight * loss;
            mixed
                .iter_mut()
                .zip(d_scores)
                .for_each(|(mixed, d)| *mixed += weight * d);
        }
        let smoothed = SoftmaxCrossEntropy { smoothing: 0.1 };
        let loss = smoothed.loss(&scores, label, &mut d_scores).unwrap();
        for (found, expected) in d_scores.into_iter().chain([loss]).zip(mixed) {
            assert!(
                (found - expected).abs() < 1e-15,
                "{found} is not {expected}"
            );
        }
    }
}
