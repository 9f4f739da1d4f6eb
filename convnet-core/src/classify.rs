//! # Classifying: a trained network, with all that it takes to answer to an image
//!
//! ```text
//!  image file ──sizing──▶ bytes ──normalisation──▶ network ──softmax──▶ ("cat", 0.93), ("dog", 0.05), …
//! ```
//!
//! A [`Classifier`] is a network with the size and the normalisation of the images that it was trained on, and
//! the names of their classes. It is saved as a weight file, in whose metadata these stand, and loaded from it.
//!
//! **Invariant:** a classifier has as many names as scores, and a normalisation for the depth that it reads.

#[cfg(feature = "std")]
use std::path::Path;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use num_traits::Float;

use crate::file::weights;
use crate::memory::heap::zeroed_box;
use crate::network::prepare::{Prepare, Prepared};
use crate::scalar::real::probabilities;
use crate::{AnyVolume, Real};

mod error;
mod note;

pub use error::ClassifierError;
use note::Note;

#[cfg(feature = "image")]
pub use crate::picture::PictureError;
pub use crate::picture::{Normalisation, Sizing};

/// A trained network that answers to an image by names and probabilities.
///
/// In the program that trains, it is made from the network and a set of images:
///
/// ```
/// # use convnet_core as convnet;
/// # #[cfg(feature = "train")] {
/// use convnet::classify::{Classifier, ClassifierError};
/// use convnet::data::Images;
/// use convnet::prepare::Prepare;
///
/// fn keep<N: Prepare>(net: Box<N>, training: &Images) -> Result<(), ClassifierError> {
///     Classifier::new(net, training)?.save("photos.safetensors")
/// }
/// # }
/// ```
///
/// In the program that uses it, it is loaded, and needs no training set (nor, without the feature `train`, the
/// code for one). With the feature `image` it reads image files:
///
/// ```
/// # use convnet_core as convnet;
/// # #[cfg(feature = "image")] {
/// use convnet::classify::{Classifier, ClassifierError};
/// use convnet::prepare::Prepare;
///
/// fn name<N: Prepare>(file: &str) -> Result<(), ClassifierError> {
///     let classifier = Classifier::<N>::load("photos.safetensors")?;
///     for (name, probability) in classifier.classify_file(file)?.iter().take(5) {
///         println!("{name:<20} {:.1} %", 100.0 * probability);
///     }
///     Ok(())
/// }
/// # }
/// ```
///
/// The network is [prepared](Prepared), for speed. An answer allocates what it needs: to count microseconds, use a
/// [`Prepared`] and an arena of your own.
pub struct Classifier<N: Prepare> {
    network: Prepared<Box<N>>,
    note: Note,
    /// For each depth slice, what each pixel value is read as.
    values: Vec<[N::Scalar; 256]>,
    probabilities: bool,
}

impl<N: Prepare> Classifier<N> {
    /// The network that was trained on `images`, or on what was split from them: with their names,
    /// [normalisation](crate::data::Images::normalised) and size. Classes without names are called `0`, `1`, ….
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Names`] if there are not as many classes as scores,
    /// [`ClassifierError::Normalisation`] if the images have another depth.
    #[cfg(feature = "train")]
    pub fn new(net: Box<N>, images: &crate::data::Images) -> Result<Self, ClassifierError> {
        use alloc::string::ToString;

        use crate::data::Samples;

        let names = match images.class_names() {
            [] => (0..images.classes())
                .map(|class| class.to_string())
                .collect(),
            names => names.to_vec(),
        };
        Self::with(net, images.normalisation(), images.sizing(), names)
    }

    /// The network, and what it was trained with: of a file that says nothing of it, by
    /// [`weights::load`], or of another library.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with<I>(
        net: Box<N>,
        normalisation: &Normalisation,
        sizing: Sizing,
        class_names: I,
    ) -> Result<Self, ClassifierError>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Self::of_note(
            net,
            Note {
                class_names: class_names.into_iter().map(Into::into).collect(),
                normalisation: normalisation.clone(),
                sizing,
            },
        )
    }

    fn of_note(net: Box<N>, note: Note) -> Result<Self, ClassifierError> {
        let ([_, _, depth], scores) = (N::Input::SHAPE, N::Output::SHAPE.iter().product());
        let names = note.class_names.len();
        if names != scores {
            return Err(ClassifierError::Names { names, scores });
        }
        if !note.normalisation.fits(depth) {
            let found = note.normalisation;
            return Err(ClassifierError::Normalisation { depth, found });
        }
        let values = note.normalisation.values();
        Ok(Self {
            values: values.map(|slice| slice.map(N::Scalar::of)).collect(),
            probabilities: N::LAYERS
                .last()
                .is_some_and(|last| last.word() == "softmax"),
            network: Prepared::new(net),
            note,
        })
    }

    /// Saves it as [`weights::save`] saves the network, with names, normalisation and size
    /// in the file's metadata. Whatever reads weight files reads this one.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Weights`].
    #[cfg(feature = "std")]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ClassifierError> {
        let note = self.note.to_json();
        weights::save_noted(self.network(), Some((note::KEY, &note)), path.as_ref())?;
        Ok(())
    }

    /// As [`save`](Self::save), the bytes of the file.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Weights`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ClassifierError> {
        let note = self.note.to_json();
        Ok(weights::to_bytes_noted(
            self.network(),
            Some((note::KEY, &note)),
        )?)
    }

    /// Loads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Weights`] if it is no file of this network; [`ClassifierError::Unsaid`] if it is a weight file that
    /// does not say how images are read: those are loaded by [`weights::load`], and given
    /// to [`with`](Self::with). [`ClassifierError::Note`] and the errors of `with` if what it says is wrong.
    #[cfg(feature = "std")]
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ClassifierError> {
        Self::from_bytes(&weights::read(path.as_ref())?)
    }

    /// As [`load`](Self::load), from the bytes of a file.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ClassifierError> {
        let mut net: Box<N> = zeroed_box();
        weights::from_bytes(&mut *net, bytes)?;
        let note = weights::note(bytes, note::KEY)?.ok_or(ClassifierError::Unsaid)?;
        Self::of_note(net, Note::of_json(&note)?)
    }

    /// All classes with their probabilities, the most probable first, for an image of bytes,
    /// `[height][width][depth]`, of the size that the network reads.
    ///
    /// # Errors
    ///
    /// [`ClassifierError::Pixels`] if there are not so many, [`ClassifierError::Nan`] if a score is not a number.
    pub fn classify(&self, pixels: &[u8]) -> Result<Vec<(&str, f64)>, ClassifierError> {
        let mut image: Box<N::Input> = bytemuck::zeroed_box();
        let numbers = image.as_mut_slice();
        if pixels.len() != numbers.len() {
            let (shape, found) = (N::Input::SHAPE, pixels.len());
            return Err(ClassifierError::Pixels { shape, found });
        }
        let slices = self.values.iter().cycle();
        for ((number, &pixel), values) in numbers.iter_mut().zip(pixels).zip(slices) {
            *number = values[usize::from(pixel)];
        }
        let mut arena = self.network.arena();
        let scores = self.network.forward(&image, &mut arena).as_slice();
        if let Some(class) = scores.iter().position(|score| score.is_nan()) {
            let class = self.note.class_names[class].clone();
            return Err(ClassifierError::Nan { class });
        }
        let shares: Vec<N::Scalar> = match self.probabilities {
            true => scores.to_vec(),
            false => probabilities(scores).collect(),
        };
        let mut classes: Vec<_> = self
            .class_names()
            .iter()
            .map(|name| &**name)
            .zip(shares.into_iter().map(Real::widen))
            .collect();
        // Stable: of equals the first stays first.
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(classes)
    }

    /// As [`classify`](Self::classify), for an image file, brought to the network's size as those of its
    /// training were.
    ///
    /// # Errors
    ///
    /// As there; [`ClassifierError::Picture`] if it is no image, [`ClassifierError::Io`] if it cannot be read.
    #[cfg(feature = "image")]
    pub fn classify_file(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<Vec<(&str, f64)>, ClassifierError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| ClassifierError::Io {
            path: path.to_owned(),
            source,
        })?;
        self.classify(&self.pixels(&bytes, Some(path))?)
    }

    /// As [`classify_file`](Self::classify_file), for the bytes of an image file.
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "image")]
    pub fn classify_encoded(&self, bytes: &[u8]) -> Result<Vec<(&str, f64)>, ClassifierError> {
        self.classify(&self.pixels(bytes, None)?)
    }

    #[cfg(feature = "image")]
    fn pixels(&self, bytes: &[u8], path: Option<&Path>) -> Result<Vec<u8>, ClassifierError> {
        let decoded = crate::picture::decode(bytes, N::Input::SHAPE, self.note.sizing);
        decoded.map_err(|source| ClassifierError::Picture {
            path: path.map(Path::to_owned),
            source,
        })
    }

    /// What the classes are called, in the order of the scores.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.note.class_names
    }

    /// Through what pixel values are read.
    #[must_use]
    pub fn normalisation(&self) -> &Normalisation {
        &self.note.normalisation
    }

    /// How image files of another size are brought to the network's.
    #[must_use]
    pub fn sizing(&self) -> Sizing {
        self.note.sizing
    }

    /// The network as it was trained.
    #[must_use]
    pub fn network(&self) -> &N {
        self.network.network()
    }
}

impl<N: Prepare> fmt::Debug for Classifier<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Classifier")
            .field(&self.note)
            .finish_non_exhaustive()
    }
}
