//! # Losses: how wrong the class scores are
//!
//! ```text
//!    scores : [K]     ──▶ loss : one number            label: the right class, 0 ..= K − 1
//!  d_scores : [K]     ◀── its gradient on the scores
//! ```
//!
//! Read [`SoftmaxCrossEntropy`] first. A loss sees one image. The loss of a batch is the *mean* over
//! its images: whoever adds up (the trainer) also divides, the gradient once, after the last image.
//!
//! **Invariant:** scores may be as large as they like: nothing overflows but a loss that is itself too
//! large for its type.

mod cross_entropy;
mod hinge;
mod softmax;

use core::fmt;

pub use cross_entropy::CrossEntropy;
pub use hinge::Hinge;
pub use softmax::{SoftmaxCrossEntropy, softmax};

use crate::Real;

/// The data loss of one image, and its gradient on the class scores.
pub trait Loss<T: Real> {
    /// The loss for an image of class `label`; writes every number of `d_scores`. NaN if a score is.
    ///
    /// # Errors
    ///
    /// If there is no class `label`, or `d_scores` is not as long as `scores`; nothing is written
    /// then.
    fn loss(&self, scores: &[T], label: usize, d_scores: &mut [T]) -> Result<T, LossError>;
}

/// Why there is no loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossError {
    /// The label names no class.
    Label {
        /// The label.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// The gradient is not as long as the scores.
    Length {
        /// Its length.
        found: usize,
        /// How many classes there are.
        classes: usize,
    },
}

impl fmt::Display for LossError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Label { label, classes } => write!(
                f,
                "label {label} names none of the {classes} classes: labels count from 0, \
                 so give one below {classes}"
            ),
            Self::Length { found, classes } => write!(
                f,
                "the gradient has {found} numbers for {classes} class scores: \
                 give a slice of {classes}"
            ),
        }
    }
}

impl core::error::Error for LossError {}

/// The score of the right class; NaN if any score is, which no loss may hide.
fn right<T: Real>(scores: &[T], label: usize, d_scores: &[T]) -> Result<T, LossError> {
    let classes = scores.len();
    if d_scores.len() != classes {
        return Err(LossError::Length {
            found: d_scores.len(),
            classes,
        });
    }
    let right = scores.get(label).copied();
    let unknown = scores.iter().copied().find(|score| score.is_nan());
    let right = right.ok_or(LossError::Label { label, classes })?;
    Ok(unknown.unwrap_or(right))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn a_wrong_label_is_an_error_and_writes_nothing() {
        fn check(loss: &impl Loss<f32>) {
            let mut d_scores = [7.0; 3];
            let error = loss.loss(&[0.1, 0.2, 0.7], 3, &mut d_scores).unwrap_err();
            assert_eq!(
                error,
                LossError::Label {
                    label: 3,
                    classes: 3
                }
            );
            assert_eq!(d_scores, [7.0; 3]);
            let error = loss
                .loss(&[0.1, 0.2, 0.7], 1, &mut d_scores[..2])
                .unwrap_err();
            assert_eq!(
                error,
                LossError::Length {
                    found: 2,
                    classes: 3
                }
            );
            assert!(loss.loss(&[], 0, &mut []).is_err());
        }
        check(&SoftmaxCrossEntropy::default());
        check(&Hinge::default());
        check(&CrossEntropy);
    }

    /// Whichever it is, and even if the loss looks at the right class only.
    #[test]
    fn a_score_that_is_nan_shows() {
        fn check(loss: &impl Loss<f64>) {
            for (at, label) in [(0, 0), (0, 2), (1, 2), (2, 0), (2, 2)] {
                let (mut scores, mut d_scores) = ([0.2, 0.3, 0.5], [0.0; 3]);
                scores[at] = f64::NAN;
                assert!(loss.loss(&scores, label, &mut d_scores).unwrap().is_nan());
            }
            assert!(loss.loss(&[f64::NAN], 0, &mut [0.0]).unwrap().is_nan());
        }
        check(&SoftmaxCrossEntropy { smoothing: 0.1 });
        check(&Hinge::default());
        check(&CrossEntropy);
    }

    #[test]
    fn the_messages_say_what_to_do() {
        assert_eq!(
            LossError::Label {
                label: 10,
                classes: 10
            }
            .to_string(),
            "label 10 names none of the 10 classes: labels count from 0, so give one below 10"
        );
    }
}
