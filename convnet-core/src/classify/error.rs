//! Why there is no classifier, or no answer.

use core::error::Error;
use core::fmt;
#[cfg(feature = "image")]
use std::path::PathBuf;

use alloc::string::String;

#[cfg(feature = "image")]
use super::PictureError;
use super::{Normalisation, note};
use crate::file::weights::WeightsError;

/// Why there is no classifier, or no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClassifierError {
    /// The weights were not loaded or saved.
    Weights(WeightsError),
    /// The file holds weights, and does not say how images are read, nor what the classes are called.
    Unsaid,
    /// What the file says of images is not what a classifier writes.
    Note {
        /// Which part of it.
        field: &'static str,
    },
    /// There are not as many names as scores.
    Names {
        /// Names.
        names: usize,
        /// Class scores of the network.
        scores: usize,
    },
    /// A normalisation for images of another depth, or one that divides by what is no positive number.
    Normalisation {
        /// How many depth slices the network reads.
        depth: usize,
        /// What was given.
        found: Normalisation,
    },
    /// The image is of another size.
    Pixels {
        /// Height, width, depth of the network's images.
        shape: [usize; 3],
        /// How many pixel values were given.
        found: usize,
    },
    /// The score of a class is not a number: the weights are not, or are far too large.
    Nan {
        /// The first such class.
        class: String,
    },
    /// The file is no image, or not of the size that is insisted on.
    #[cfg(feature = "image")]
    Picture {
        /// Which file, if it is one.
        path: Option<PathBuf>,
        /// What is wrong with it.
        source: PictureError,
    },
    /// The image file could not be read.
    #[cfg(feature = "image")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<WeightsError> for ClassifierError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error)
    }
}

impl fmt::Display for ClassifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weights(error) => write!(f, "{error}"),
            Self::Unsaid => write!(
                f,
                "the file has weights, and does not say how images are read\nload it by `weights::load`, and say \
                 normalisation and names to `Classifier::with`; `Classifier::save` writes them into the file"
            ),
            Self::Note { field } => write!(
                f,
                "the file's metadata has `{}`, of which {field} is not as `Classifier::save` writes it",
                note::KEY
            ),
            Self::Names { names, scores } => write!(
                f,
                "there are {names} classes and {scores} scores\nthe network needs one score a class: a last layer of \
                 `fc({names})`, or as many names"
            ),
            Self::Normalisation { depth, found } => write!(
                f,
                "images of depth {depth} cannot be normalised by {found:?}\none finite mean and one positive \
                 deviation for each depth slice are expected"
            ),
            Self::Pixels {
                shape: [h, w, d],
                found,
            } => write!(
                f,
                "{found} pixel values are no image of {w}x{h}x{d}, which has {}",
                h * w * d
            ),
            Self::Nan { class } => write!(
                f,
                "the score of `{class}` is not a number: the weights are far too large, or are none"
            ),
            #[cfg(feature = "image")]
            Self::Picture { path, source } => {
                if let Some(path) = path {
                    write!(f, "{}: ", path.display())?;
                }
                write!(f, "{source}")
            }
            #[cfg(feature = "image")]
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl Error for ClassifierError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Weights(error) => Some(error),
            #[cfg(feature = "image")]
            Self::Picture { source, .. } => Some(source),
            #[cfg(feature = "image")]
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
