//! A part of a set.

use super::{DataError, Defect, Samples, Target};
use crate::{Real, Rng};

/// Some of the images of a set, in an order of its own.
#[derive(Clone, Debug)]
pub struct Subset<S> {
    samples: S,
    /// All in their own order, if there are none.
    indices: Option<Vec<usize>>,
}

impl<S> Subset<S> {
    /// All of them.
    pub(crate) fn whole(samples: S) -> Self {
        let indices = None;
        Self { samples, indices }
    }

    fn place(&self, index: usize) -> usize {
        self.indices
            .as_ref()
            .map_or(index, |indices| indices[index])
    }
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
            indices: Some(rest),
        },
        Subset {
            samples,
            indices: Some(indices),
        },
    ))
}

impl<Y: Target, S: Samples<Y>> Samples<Y> for Subset<S> {
    fn len(&self) -> usize {
        let len = self.indices.as_ref().map(Vec::len);
        len.unwrap_or_else(|| self.samples.len())
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
        self.samples.label(self.place(index))
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.samples.image(self.place(index), image);
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        self.samples.augmented(self.place(index), image, rng);
    }

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        self.samples.show(self.place(index), image, rng)
    }

    fn window(&self) -> usize {
        match self.indices {
            None => self.samples.window(),
            Some(_) => 0,
        }
    }

    fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        self.samples
            .prefetch(&mut images.map(|index| self.place(index)));
    }

    fn fault(&self) -> Option<DataError> {
        self.samples.fault()
    }
}
