//! A part of a set.

use super::{DataError, Defect, Samples, Target};
use crate::{Real, Rng};

/// Some of the images of a set, in an order of its own.
#[derive(Clone, Debug)]
pub struct Subset<S> {
    samples: S,
    indices: Vec<usize>,
}

/// Splits `samples` at random into two sets: all but a `share` of them, and that share.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{self, Images, Samples};
///
/// let images = Images::new([1, 1, 1], 10, (0..10).collect(), (0..10).collect())?;
/// let (train, validation) = data::split(&images, 0.3, 231)?;
/// assert_eq!((train.len(), validation.len()), (7, 3));
/// # Ok::<(), data::DataError>(())
/// ```
///
/// # Errors
///
/// [`Defect::Share`] if one of them would be empty.
pub fn split<S: Samples<Y>, Y: Target>(
    samples: &S,
    share: f64,
    seed: u64,
) -> Result<(Subset<&S>, Subset<&S>), DataError> {
    let images = samples.len();
    let apart = (images as f64 * share).round();
    if !(1.0..images as f64).contains(&apart) {
        return Err(Defect::Share { share, images }.into());
    }
    let mut indices: Vec<usize> = (0..images).collect();
    Rng::new(seed).shuffle(&mut indices);
    let rest = indices.split_off(apart as usize);
    Ok((
        Subset {
            samples,
            indices: rest,
        },
        Subset { samples, indices },
    ))
}

impl<Y: Target, S: Samples<Y>> Samples<Y> for Subset<S> {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.samples.shape()
    }

    fn classes(&self) -> usize {
        self.samples.classes()
    }

    fn class_names(&self) -> &[String] {
        self.samples.class_names()
    }

    fn label(&self, index: usize) -> Y {
        self.samples.label(self.indices[index])
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.samples.image(self.indices[index], image);
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        self.samples.augmented(self.indices[index], image, rng);
    }

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        self.samples.show(self.indices[index], image, rng)
    }

    fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        self.samples
            .prefetch(&mut images.map(|index| self.indices[index]));
    }

    fn fault(&self) -> Option<DataError> {
        self.samples.fault()
    }
}
