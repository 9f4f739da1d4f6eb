//! # Losses: how wrong a network is
//!
//! ```text
//!    scores : [K]     ──▶ loss : one number            label: the right class, 0 ..= K − 1;
//!  d_scores : [K]     ◀── its gradient on the scores          or numbers, or many classes
//! ```
//!
//! | a network answers | with | loss |
//! |---|---|---|
//! | which class an image is of | a score a class | [`SoftmaxCrossEntropy`], [`Hinge`] |
//! | | probabilities, of `softmax` | [`CrossEntropy`] |
//! | | where some classes count for more | [`ClassWeights`](crate::loss) of one of these |
//! | which of several labels it has | a score a label | [`BinaryCrossEntropy`] |
//! | of which class each pixel is | a depth column of scores a pixel | [`PerPixel`] |
//! | numbers, or an image | as many numbers | [`MeanSquaredError`], [`Huber`] |
//! | several of these | [outputs](crate::Network::OUTPUTS) | [`PerOutput`], a loss of each |
//!
//! Read [`SoftmaxCrossEntropy`] first. A loss sees one image. The loss of a batch is the *mean* over
//! its images: whoever adds up (the trainer) also divides, the gradient once, after the last image.
//!
//! **Invariant:** scores may be as large as they like: nothing overflows but a loss that is itself too
//! large for its type.

mod binary_cross_entropy;
#[cfg(feature = "alloc")]
mod class_weights;
mod cross_entropy;
mod hinge;
mod huber;
mod mean_squared_error;
mod per_output;
mod per_pixel;
mod softmax;

use core::fmt;

pub use binary_cross_entropy::BinaryCrossEntropy;
#[cfg(feature = "alloc")]
pub use class_weights::ClassWeights;
pub use cross_entropy::CrossEntropy;
pub use hinge::Hinge;
pub use huber::Huber;
pub use mean_squared_error::MeanSquaredError;
pub use per_output::{OutputLoss, PerOutput};
pub use per_pixel::PerPixel;
pub use softmax::{SoftmaxCrossEntropy, softmax};

use crate::Real;

/// The data loss of one image, and its gradient on what the network gives.
///
/// `Y` is what is right: a class, unless something else is said, `impl Loss<f32, &[f32]> for Mine`.
pub trait Loss<T: Real, Y = usize> {
    /// The loss for an image of class `label`; writes every number of `d_scores`. NaN if a score is.
    ///
    /// # Errors
    ///
    /// If there is no class `label`, or another target is not as long as it should be, or `d_scores` is
    /// not as long as `scores`; nothing is written then.
    fn loss(&self, scores: &[T], label: Y, d_scores: &mut [T]) -> Result<T, LossError>;

    /// Why a network whose last layer is `last`, a word of the language such as `softmax`, is not to be
    /// trained by this loss: what to do instead.
    fn refuses(&self, last: &str) -> Option<&'static str> {
        let _ = last;
        None
    }
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
    /// The target is not as long as what the network gives.
    Target {
        /// How many numbers, labels or pixels it has.
        found: usize,
        /// How many numbers the network gives.
        expected: usize,
    },
    /// The loss of one of several outputs is of another network.
    Outputs {
        /// How many numbers the network gives.
        found: usize,
        /// How many there would be at least.
        expected: usize,
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
            Self::Target { found, expected } => write!(
                f,
                "a target of {found} does not fit the {expected} numbers that the network gives: \
                 give one of as many, or a class for each depth column"
            ),
            Self::Outputs { found, expected } => write!(
                f,
                "the loss of an output that ends at number {expected} does not fit the {found} numbers that the \
                 network gives: make it of the network's own `OUTPUTS`"
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

/// One by their number, if outputs, target and gradient are as many.
fn same_length<T: Real, Y>(outputs: &[T], target: &[Y], d_outputs: &[T]) -> Result<T, LossError> {
    let (expected, found) = (outputs.len(), target.len());
    if found != expected || found == 0 {
        return Err(LossError::Target { found, expected });
    }
    if d_outputs.len() != expected {
        let (found, classes) = (d_outputs.len(), expected);
        return Err(LossError::Length { found, classes });
    }
    Ok(T::of(expected as f64).recip())
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
        for at in 0..4 {
            let (mut outputs, mut d) = ([0.2, 0.3, 0.5, 0.1], [0.0; 4]);
            outputs[at] = f64::NAN;
            let losses = [
                MeanSquaredError.loss(&outputs, &[0.0; 4], &mut d),
                Huber::default().loss(&outputs, &[0.0; 4], &mut d),
                BinaryCrossEntropy.loss(&outputs, &[true; 4][..], &mut d),
                BinaryCrossEntropy.loss(&outputs, &[0.5_f32; 4][..], &mut d),
                PerPixel::default().loss(&outputs, &[0, 1], &mut d),
                PerPixel::default().loss(&outputs, &[usize::MAX, 1], &mut d),
            ];
            assert!(
                losses.iter().all(|loss| loss.unwrap().is_nan()),
                "{losses:?}"
            );
        }
    }

    #[test]
    fn a_target_of_another_length_is_an_error_and_writes_nothing() {
        let (outputs, mut d) = ([0.1_f32, 0.2, 0.7], [7.0; 3]);
        let target = |found| Err(LossError::Target { found, expected: 3 });
        assert_eq!(
            MeanSquaredError.loss(&outputs, &[0.0; 2], &mut d),
            target(2)
        );
        assert_eq!(
            Huber::default().loss(&outputs, &[0.0; 4], &mut d),
            target(4)
        );
        assert_eq!(
            BinaryCrossEntropy.loss(&outputs, &[true][..], &mut d),
            target(1)
        );
        assert_eq!(
            PerPixel::default().loss(&outputs, &[0; 2], &mut d),
            target(2)
        );
        assert_eq!(PerPixel::default().loss(&outputs, &[], &mut d), target(0));
        let (label, classes) = (1, 1);
        let error = PerPixel::default().loss(&outputs, &[0, 0, 1], &mut d);
        assert_eq!(error, Err(LossError::Label { label, classes }));
        let (found, classes) = (2, 3);
        let error = MeanSquaredError.loss(&outputs, &[0.0; 3], &mut d[..2]);
        assert_eq!(error, Err(LossError::Length { found, classes }));
        assert_eq!(d, [7.0; 3]);
        assert!(MeanSquaredError.loss(&[] as &[f32], &[], &mut []).is_err());
    }

    /// Slopes of the loss itself: every loss, either side of every bend, sure and unsure.
    #[test]
    fn every_gradient_is_the_slope_of_its_loss() {
        use crate::gradient_check::slope;

        fn check<Y: Copy>(loss: &impl Loss<f64, Y>, outputs: &[f64], target: Y) {
            let (mut outputs, mut d) = (outputs.to_vec(), std::vec![0.0; outputs.len()]);
            loss.loss(&outputs, target, &mut d).unwrap();
            let analytic = d.clone();
            for at in 0..outputs.len() {
                let here = outputs[at];
                let found = slope(analytic[at], |h| {
                    outputs[at] = here + h;
                    loss.loss(&outputs, target, &mut d).unwrap()
                });
                outputs[at] = here;
                assert!(found.error < 1e-7, "{at}: {found:?}");
            }
        }
        let outputs = [0.3, -1.2, 2.0, 0.7, -4.5, 9.0];
        let target: &[f32] = &[0.25, -3.0, 1.9, 2.5, -4.5, 0.0];
        check(&MeanSquaredError, &outputs, target);
        for delta in [0.2, 1.0, 5.0] {
            check(&Huber { delta }, &outputs, target);
        }
        check(
            &BinaryCrossEntropy,
            &outputs,
            &[true, true, false, false, true, true][..],
        );
        check(
            &BinaryCrossEntropy,
            &outputs,
            &[0.0_f32, 0.3, 0.5, 0.9, 1.0, 0.01][..],
        );
        check(&PerPixel::default(), &outputs, &[1_usize, 0][..]);
        check(&PerPixel::default(), &outputs, &[1, usize::MAX, 0][..]);
        check(
            &PerPixel(SoftmaxCrossEntropy { smoothing: 0.1 }),
            &outputs,
            &[2_usize, 1][..],
        );
        check(&PerPixel(Hinge::default()), &outputs, &[0_usize, 2][..]);
        check(&SoftmaxCrossEntropy::default(), &outputs, 2);
        check(
            &Hinge {
                delta: 1.0,
                squared: true,
            },
            &outputs,
            2,
        );
        check(&CrossEntropy, &[0.1, 0.2, 0.7], 1);
    }

    /// By their definitions, in other words than the code's.
    #[test]
    fn losses_are_their_formulas() {
        let (outputs, mut d) = ([0.3_f64, -1.2, 2.0], [0.0; 3]);
        let off = [0.3, -2.2, 2.5]; // from 0, 1 and −0.5
        let target: &[f32] = &[0.0, 1.0, -0.5];
        let close = |found: Result<f64, LossError>, expected: f64| {
            let found = found.unwrap();
            assert!(
                (found - expected).abs() < 1e-14,
                "{found} is not {expected}"
            );
        };
        let squares = off.iter().map(|e| e * e).sum::<f64>() / 3.0;
        close(MeanSquaredError.loss(&outputs, target, &mut d), squares);
        // e²/2, then |e| − 1/2 twice.
        close(
            Huber::default().loss(&outputs, target, &mut d),
            (0.045 + 1.7 + 2.0) / 3.0,
        );
        let sigmoid = outputs.map(|s| 1.0 / (1.0 + (-s).exp()));
        let surprise = -(sigmoid[0].ln() + (1.0 - sigmoid[1]).ln() + sigmoid[2].ln()) / 3.0;
        let labels = [true, false, true];
        close(
            BinaryCrossEntropy.loss(&outputs, &labels[..], &mut d),
            surprise,
        );
        for (d, (p, label)) in d.into_iter().zip(sigmoid.into_iter().zip(labels)) {
            assert!((d - (p - f64::from(u8::from(label))) / 3.0).abs() < 1e-15);
        }
        let pixel = |scores: [f64; 2], right: usize| {
            -(scores[right].exp() / (scores[0].exp() + scores[1].exp())).ln()
        };
        let scores = [0.3, -1.2, 2.0, 0.7, -0.1, 0.4];
        let expected = (pixel([0.3, -1.2], 1) + pixel([-0.1, 0.4], 0)) / 2.0;
        let mut d = [0.0; 6];
        close(
            PerPixel::default().loss(&scores, &[1, usize::MAX, 0], &mut d),
            expected,
        );
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
