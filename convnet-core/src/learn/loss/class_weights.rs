//! Classes that count for more or less than others.

use alloc::vec::Vec;
use core::fmt;

use super::{Loss, LossError};
use crate::Real;

/// Another loss, times the weight of the right class: of rare classes more than 1, say.
///
/// The loss of a batch stays the mean over its images. PyTorch's `CrossEntropyLoss(weight=…)` divides by the
/// sum of the weights of a batch instead of by the number of its images; `reduction="none"` is the same.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{ClassWeights, Loss, SoftmaxCrossEntropy};
///
/// // Classes of 900 and of 100 images: as if there were 500 of each.
/// let loss = ClassWeights::balanced(SoftmaxCrossEntropy::default(), &[900, 100]);
/// assert_eq!(loss.weights[1], 5.0);
/// let mut d_scores = [0.0_f64; 2];
/// assert_eq!(loss.loss(&[0.0, 0.0], 1, &mut d_scores)?, 5.0 * 2_f64.ln());
/// assert_eq!(d_scores, [2.5, -2.5]);
/// # Ok::<(), convnet::loss::LossError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeights<L> {
    /// The loss of an image.
    pub loss: L,
    /// What it is multiplied by, a class each.
    pub weights: Vec<f64>,
}

impl<L> ClassWeights<L> {
    /// Weights by which each class counts as much as the others, of so many images each: all/(classes·images).
    /// A class without images has the weight 0.
    #[must_use]
    pub fn balanced(loss: L, images: &[usize]) -> Self {
        let all = images.iter().sum::<usize>() as f64;
        let classes = images.len() as f64;
        let weight = |&images: &usize| match images {
            0 => 0.0,
            _ => all / (classes * images as f64),
        };
        Self {
            loss,
            weights: images.iter().map(weight).collect(),
        }
    }
}

impl<T: Real, L: Loss<T>> Loss<T> for ClassWeights<L> {
    fn loss(&self, scores: &[T], label: usize, d_scores: &mut [T]) -> Result<T, LossError> {
        let classes = self.weights.len();
        let weight = self.weights.get(label);
        let weight = T::of(*weight.ok_or(LossError::Label { label, classes })?);
        let loss = self.loss.loss(scores, label, d_scores)?;
        d_scores.iter_mut().for_each(|d_score| *d_score *= weight);
        Ok(loss * weight)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        self.loss.refuses(last)
    }
}

impl<L: fmt::Display> fmt::Display for ClassWeights<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, classes weighted {:?}", self.loss, self.weights)
    }
}
