//! How good a network is on a set of images.

use std::collections::BTreeMap;
use std::fmt;

use num_traits::Float;
use rayon::prelude::*;

use super::TrainError;
use crate::data::Samples;
use crate::scalar::real::place_of_largest;
use crate::{AnyVolume, Loss, Network, Real};

/// What a network makes of a set of images.
///
/// `Display` draws the confusion matrix, of [`MOST_DRAWN`] classes at most. It is kept for any number of
/// classes, in memory for the pairs of label and prediction that were seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    loss: f64,
    classes: usize,
    /// Images of each label and prediction that there were.
    confusion: BTreeMap<(usize, usize), usize>,
}

/// Of more classes than these no confusion matrix is drawn.
pub const MOST_DRAWN: usize = 200;

/// Runs `net` on every image of `samples`. It predicts the class of the highest score, the first
/// of equals.
///
/// The images are spread over the current rayon pool; the result is the same to the bit whatever
/// its size.
///
/// # Errors
///
/// [`TrainError`] if the set is empty or does not fit the network, if a score is NaN, or if a loss is not
/// finite.
pub fn evaluate<N, S, L>(net: &N, samples: &S, loss: &L) -> Result<Evaluation, TrainError>
where
    N: Network + Sync,
    S: Samples,
    L: Loss<N::Scalar> + Sync,
{
    TrainError::check_samples::<N>("evaluation", samples)?;
    let seen: Vec<_> = (0..samples.len())
        .into_par_iter()
        .with_min_len(IMAGES_A_BUFFER)
        .map_init(Buffers::<N>::new, |buffers, index| {
            buffers.run(net, samples, index, loss)
        })
        .collect();
    // The order of a sum is part of its value: the images', not the threads'.
    let mut evaluation = Evaluation {
        loss: 0.0,
        classes: samples.classes().max(scores::<N>()),
        confusion: BTreeMap::new(),
    };
    for (index, seen) in seen.into_iter().enumerate() {
        let (loss, predicted) = seen?;
        evaluation.loss += loss;
        if !evaluation.loss.is_finite() {
            return Err(TrainError::Scores { image: index, loss });
        }
        let pair = (samples.label(index), predicted);
        *evaluation.confusion.entry(pair).or_default() += 1;
    }
    evaluation.loss /= samples.len() as f64;
    Ok(evaluation)
}

impl Evaluation {
    /// Mean loss of an image.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// How many images were seen.
    #[must_use]
    pub fn images(&self) -> usize {
        self.confusion.values().sum()
    }

    /// The share of images whose class was predicted, from 0 to 1.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right = self.confusion.iter();
        let right = right.filter(|((label, predicted), _)| label == predicted);
        right.map(|(_, images)| images).sum::<usize>() as f64 / self.images() as f64
    }

    /// How many images of class `label` were taken for class `predicted`.
    #[must_use]
    pub fn count(&self, label: usize, predicted: usize) -> usize {
        let images = self.confusion.get(&(label, predicted));
        images.copied().unwrap_or(0)
    }

    /// The accuracy on the images of each class, from 0 to 1; `None` where there was no image.
    pub fn class_accuracies(&self) -> impl Iterator<Item = Option<f64>> {
        (0..self.classes).map(|class| {
            let row = self.confusion.range((class, 0)..=(class, usize::MAX));
            let images = row.map(|(_, images)| images).sum::<usize>();
            (images > 0).then(|| self.count(class, class) as f64 / images as f64)
        })
    }
}

/// A line a class, a column a prediction.
impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.confusion.values().max().copied().unwrap_or(0);
        let width = most.max(self.classes).to_string().len().max(2) + 1;
        writeln!(
            f,
            "{} images, accuracy {:.2} %, loss {:.4}",
            self.images(),
            100.0 * self.accuracy(),
            self.loss
        )?;
        if self.classes > MOST_DRAWN {
            return write!(f, "{} classes are too many to draw", self.classes);
        }
        write!(f, "{:>8}", "class")?;
        (0..self.classes).try_for_each(|class| write!(f, "{class:>width$}"))?;
        write!(f, "{:>10}", "accuracy")?;
        for (class, accuracy) in self.class_accuracies().enumerate() {
            write!(f, "\n{class:>8}")?;
            for predicted in 0..self.classes {
                match self.count(class, predicted) {
                    0 => write!(f, "{:>width$}", '·')?,
                    images => write!(f, "{images:>width$}")?,
                }
            }
            match accuracy {
                Some(accuracy) => write!(f, "{:>8.1} %", 100.0 * accuracy)?,
                None => write!(f, "{:>10}", '–')?,
            }
        }
        Ok(())
    }
}

/// Enough that making the buffers does not count, few enough to spread over the threads.
const IMAGES_A_BUFFER: usize = 16;

/// How many class scores a network gives.
pub(super) fn scores<N: Network>() -> usize {
    N::Output::SHAPE.iter().product()
}

struct Buffers<N: Network> {
    image: Box<N::Input>,
    arena: Box<N::Arena>,
    d_scores: Box<N::Output>,
}

impl<N: Network> Buffers<N> {
    fn new() -> Self {
        let (image, arena, d_scores) = (
            bytemuck::zeroed_box(),
            bytemuck::zeroed_box(),
            bytemuck::zeroed_box(),
        );
        Self {
            image,
            arena,
            d_scores,
        }
    }

    /// Loss and predicted class of one image.
    fn run(
        &mut self,
        net: &N,
        samples: &impl Samples,
        index: usize,
        loss: &impl Loss<N::Scalar>,
    ) -> Result<(f64, usize), TrainError> {
        samples.image(index, self.image.as_mut_slice());
        let scores = net.forward(&self.image, &mut self.arena).as_slice();
        if let Some(score) = scores.iter().position(|score| score.is_nan()) {
            let pixels = self.image.as_slice();
            return Err(TrainError::Nan {
                image: index,
                score,
                layer: N::LAYERS
                    .last()
                    .map_or("the last layer", |layer| layer.name),
                pixel: pixels.iter().position(|pixel| !pixel.is_finite()),
            });
        }
        let loss = loss.loss(scores, samples.label(index), self.d_scores.as_mut_slice())?;
        Ok((loss.widen(), place_of_largest(scores)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let evaluation = Evaluation {
            loss: 0.25,
            classes: 3,
            confusion: [((0, 0), 3), ((0, 2), 1), ((2, 1), 2), ((2, 2), 120)].into(),
        };
        assert_eq!(evaluation.images(), 126);
        assert_eq!(evaluation.accuracy(), 123.0 / 126.0);
        assert_eq!((evaluation.count(2, 1), evaluation.count(3, 0)), (2, 0));
        let table = [
            "126 images, accuracy 97.62 %, loss 0.2500",
            "   class   0   1   2  accuracy",
            "       0   3   ·   1    75.0 %",
            "       1   ·   ·   ·         –",
            "       2   ·   2 120    98.4 %",
        ];
        assert_eq!(evaluation.to_string(), table.join("\n"));
    }
}
