//! Sets whose images have other targets than a class.

use std::marker::PhantomData;

use super::{DataError, Defect, Images, Samples, Target, Values};
use crate::{Real, Rng};

/// Images, each with a target of its own: [`Images::with_targets`].
#[derive(Clone, Debug)]
pub struct Targets<Y> {
    images: Images,
    classes: usize,
    names: Vec<String>,
    targets: Vec<Y>,
}

/// Images that are their own targets: [`Samples::autoencoder`].
#[derive(Clone, Debug)]
pub struct Autoencoder<S, Y = usize> {
    samples: S,
    instead_of: PhantomData<fn() -> Y>,
}

impl Images {
    /// The same images, with `targets` in place of their classes. Augment what comes out of it, so that
    /// targets with rows and columns follow.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::data::{ClassMap, DataError, Images, Samples};
    ///
    /// let images = Images::unlabelled([1, 2, 1], vec![0, 255, 255, 0])?;
    /// let map = |classes: [usize; 2]| ClassMap { shape: [1, 2], classes: classes.into() };
    /// let set = images.with_targets(vec![map([0, 1]), map([1, 0])])?.random_flips();
    /// assert_eq!(set.label(1), map([1, 0]));
    /// # Ok::<(), DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Defect::Count`] if there are not as many as images.
    pub fn with_targets<Y: Target + Clone>(self, targets: Vec<Y>) -> Result<Targets<Y>, DataError> {
        let (images, labels) = (self.len(), targets.len());
        if images != labels {
            return Err(Defect::Count { images, labels }.into());
        }
        Ok(Targets {
            images: self,
            classes: 0,
            names: Vec::new(),
            targets,
        })
    }
}

impl<Y> Targets<Y> {
    /// Says how many classes there are, of a [`ClassMap`](super::ClassMap): a network that gives more scores is refused.
    #[must_use]
    pub fn of_classes(mut self, classes: usize) -> Self {
        self.classes = classes;
        self
    }

    /// Says how many classes there are by their names, in their order: an evaluation shows them.
    #[must_use]
    pub fn named<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.names = names.into_iter().map(Into::into).collect();
        self.classes = self.names.len();
        self
    }
}

impl<Y: Target + Clone> Samples<Y> for Targets<Y> {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.images.shape()
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn class_names(&self) -> &[String] {
        &self.names
    }

    fn label(&self, index: usize) -> Y {
        self.targets[index].clone()
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.images.image(index, image);
    }
}

impl<S, Y> Autoencoder<S, Y> {
    pub(super) fn new(samples: S) -> Self {
        Self {
            samples,
            instead_of: PhantomData,
        }
    }
}

impl<Y: Target, S: Samples<Y>> Samples<Values> for Autoencoder<S, Y> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.samples.shape()
    }

    fn label(&self, index: usize) -> Values {
        let shape = self.samples.shape();
        let mut values = vec![0.0; shape.iter().product()];
        self.samples.image(index, &mut values);
        Values { shape, values }
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.samples.image(index, image);
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        self.samples.augmented(index, image, rng);
    }

    fn window(&self) -> usize {
        self.samples.window()
    }

    fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        self.samples.prefetch(images);
    }

    fn fault(&self) -> Option<DataError> {
        self.samples.fault()
    }

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Values {
        self.samples.augmented(index, image, rng);
        let values = image.iter().map(|&pixel| pixel.widen() as f32);
        Values {
            shape: self.samples.shape(),
            values: values.collect(),
        }
    }
}
