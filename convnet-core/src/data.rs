//! # Data: images, and what a network is to answer to each
//!
//! ```text
//! files ──▶ folder, mnist, cifar10, digits ──▶ Images ──▶ split ──▶ RandomFlips, RandomCrops … ──▶ trainer
//! ```
//!
//! Whatever implements [`Samples`] can be trained on. [`Images`] is a set in memory, [`Streamed`] one on the
//! disk, which may be larger; the wrappers are sets made of sets.
//!
//! **Invariant:** a set is checked when it is made: it is not empty, its sizes agree, every label
//! is one of its classes. Training meets no bad image in its third hour.
//!
//! ```
//! # use convnet_core as convnet;
//! use convnet::data::{self, Images, Samples};
//!
//! // Two images of 1x2x1, of classes 0 and 1.
//! let images = Images::new([1, 2, 1], 2, vec![0, 255, 255, 0], vec![0, 1])?;
//! let mut image = [0.0f32; 2];
//! images.image(1, &mut image);
//! assert_eq!((images.label(1), image), (1, [1.0, 0.0]));
//!
//! let error = Images::new([1, 2, 1], 2, vec![0, 255], vec![7]).unwrap_err();
//! assert!(error.to_string().contains("label 7"));
//! # Ok::<(), data::DataError>(())
//! ```

mod ahead;
mod augment;
mod cifar10;
mod digits;
mod error;
mod file;
#[cfg(feature = "image")]
mod folder;
mod images;
mod mixup;
mod mnist;
mod packed;
mod reading;
mod streamed;
mod subset;
mod target;
mod targets;

use crate::{Real, Rng};

pub use augment::{RandomCrops, RandomCutouts, RandomFlips, RandomShifts};
pub use cifar10::cifar10;
pub use digits::digits;
pub use error::{DataError, Defect};
#[cfg(feature = "image")]
pub use folder::{Folder, folder};
pub use images::Images;
pub use mixup::{Mixed, Mixup};
pub use mnist::{idx, mnist};
pub use packed::Packer;
pub use streamed::Streamed;
pub use subset::{Subset, split};
pub use target::{ClassMap, Labels, Misfit, Target, Values};
pub use targets::{Autoencoder, Targets};

pub use crate::picture::{Normalisation, Sizing};

/// A set of images of one shape, each with its class, or another [`Target`].
pub trait Samples<Y: Target = usize>: Sync {
    /// How many images there are.
    fn len(&self) -> usize;

    /// Height, width, depth of each.
    fn shape(&self) -> [usize; 3];

    /// How many classes there are; labels are smaller. 0 if there are none, or nobody knows.
    fn classes(&self) -> usize {
        0
    }

    /// What the classes are called, in their order. Empty if they have no names.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// The class of image `index`; in general what a network is to answer to it.
    fn label(&self, index: usize) -> Y;

    /// Writes image `index`, as `[height][width][depth]`.
    fn image<T: Real>(&self, index: usize, image: &mut [T]);

    /// Writes image `index` as training is to see it this time: with whatever `rng` does to it.
    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        let _ = rng;
        self.image(index, image);
    }

    /// What training asks for: the image as [`augmented`](Self::augmented), and what is to be answered to
    /// it then. A set that moves or mirrors an image does the same to a target that has rows and columns.
    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        self.augmented(index, image, rng);
        self.label(index)
    }

    /// Within how many images training shuffles, where it should not read one here and one there; 0 if it may.
    fn window(&self) -> usize {
        0
    }

    /// Which images training is going to ask for, in this order, as often as it knows more of them: a set that reads
    /// images may begin with the first, as many as it likes.
    fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        let _ = images;
    }

    /// What has gone wrong since this was asked last, of a set that reads its images as they are looked at. Such an
    /// image is all NaN.
    fn fault(&self) -> Option<DataError> {
        None
    }

    /// Whether there is nothing to learn from.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In training, each image is mirrored left to right, or not, by the toss of a coin.
    fn random_flips(self) -> RandomFlips<Self>
    where
        Self: Sized,
    {
        RandomFlips::new(self)
    }

    /// In training, each image is moved by up to `most` pixels along each axis, with zeros where
    /// nothing moved in; a random crop of the image padded by `most`, that is. A target with fewer rows
    /// and columns is moved by whole ones of its own, and its image by as much; where they are no
    /// whole part of the image's, nothing moves.
    fn random_shifts(self, most: usize) -> RandomShifts<Self>
    where
        Self: Sized,
    {
        RandomShifts::new(self, most)
    }

    /// In training, a random part of each image is stretched to the whole of it: of a share of the area between
    /// `least` and 1, and of proportions between 3:4 and 4:3, as torchvision's `RandomResizedCrop`; 0.08 is usual for
    /// photographs. Between pixels it is bilinear. Images whose target has rows and columns stay as they are.
    ///
    /// Source: C. Szegedy et al., *Going deeper with convolutions*, 2015, section 6.
    fn random_crops(self, least: f64) -> RandomCrops<Self>
    where
        Self: Sized,
    {
        RandomCrops::new(self, least)
    }

    /// In training, a square of `side` pixels around a random pixel of each image is set to 0; what of it lies
    /// outside is nothing. Targets stay.
    ///
    /// Source: T. DeVries and G. Taylor, *Improved regularization of convolutional neural networks with cutout*,
    /// 2017.
    fn random_cutouts(self, side: usize) -> RandomCutouts<Self>
    where
        Self: Sized,
    {
        RandomCutouts::new(self, side)
    }

    /// The same images, each its own target: as it is shown, augmentation included.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::data::{Images, Samples};
    ///
    /// let images = Images::unlabelled([1, 2, 1], vec![0, 255, 255, 0])?.autoencoder();
    /// assert_eq!(images.label(1).values, [1.0, 0.0]);
    /// # Ok::<(), convnet_core::data::DataError>(())
    /// ```
    fn autoencoder(self) -> Autoencoder<Self, Y>
    where
        Self: Sized,
    {
        Autoencoder::new(self)
    }
}

impl<Y: Target, S: Samples<Y>> Samples<Y> for &S {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn shape(&self) -> [usize; 3] {
        (**self).shape()
    }

    fn classes(&self) -> usize {
        (**self).classes()
    }

    fn class_names(&self) -> &[String] {
        (**self).class_names()
    }

    fn label(&self, index: usize) -> Y {
        (**self).label(index)
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        (**self).image(index, image);
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        (**self).augmented(index, image, rng);
    }

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        (**self).show(index, image, rng)
    }

    fn window(&self) -> usize {
        (**self).window()
    }

    fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        (**self).prefetch(images);
    }

    fn fault(&self) -> Option<DataError> {
        (**self).fault()
    }
}
