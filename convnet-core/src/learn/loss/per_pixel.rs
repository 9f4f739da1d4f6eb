//! A loss of classes, for each pixel of a map.

use core::fmt;

use super::{Loss, LossError, SoftmaxCrossEntropy};
use crate::Real;

/// The mean over the pixels of a map of a loss of classes, [`SoftmaxCrossEntropy`] by default: for
/// segmentation. The scores of a pixel are its depth column.
///
/// The target has a class for each pixel, row by row; `usize::MAX` stands for none, and such a pixel
/// does not count. (CS231n, *Semantic segmentation*.)
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{Loss, PerPixel};
///
/// // Two pixels, of two scores each.
/// let mut d_scores = [0.0; 4];
/// let loss = PerPixel::default().loss(&[0.0_f64, 0.0, 5.0, 1.0], &[0, usize::MAX], &mut d_scores)?;
/// assert_eq!((loss, d_scores), (2_f64.ln(), [-0.5, 0.5, 0.0, 0.0]));
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerPixel<L = SoftmaxCrossEntropy>(
    /// The loss of a pixel.
    pub L,
);

impl Default for PerPixel {
    fn default() -> Self {
        Self(SoftmaxCrossEntropy::default())
    }
}

impl<T: Real, L: Loss<T>> Loss<T, &[usize]> for PerPixel<L> {
    fn loss(&self, scores: &[T], classes: &[usize], d_scores: &mut [T]) -> Result<T, LossError> {
        if classes.is_empty() || !scores.len().is_multiple_of(classes.len()) {
            let (found, expected) = (classes.len(), scores.len());
            return Err(LossError::Target { found, expected });
        }
        let depth = scores.len() / classes.len();
        if d_scores.len() != scores.len() {
            let (found, classes) = (d_scores.len(), scores.len());
            return Err(LossError::Length { found, classes });
        }
        let labelled = || classes.iter().filter(|&&label| label != usize::MAX);
        if let Some(&label) = labelled().find(|&&label| label >= depth) {
            let classes = depth;
            return Err(LossError::Label { label, classes });
        }
        let unknown = scores.iter().copied().find(|score| score.is_nan());
        let mut sum = unknown.unwrap_or(T::ZERO);
        let share = labelled().map(|_| T::ONE).sum::<T>().max(T::ONE).recip();
        let pixels = scores.chunks_exact(depth.max(1));
        let pixels = pixels.zip(d_scores.chunks_exact_mut(depth.max(1)));
        for (&label, (scores, d_scores)) in classes.iter().zip(pixels) {
            if label == usize::MAX {
                d_scores.fill(T::ZERO);
                continue;
            }
            sum += self.0.loss(scores, label, d_scores)?;
            d_scores.iter_mut().for_each(|d| *d *= share);
        }
        Ok(sum * share)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        self.0.refuses(last)
    }
}

impl<L: fmt::Display> fmt::Display for PerPixel<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of each pixel", self.0)
    }
}
