//! What can be wrong with a data set.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Normalisation;
#[cfg(feature = "image")]
use crate::picture::PictureError;

/// Why a data set was not made, and which file is to blame.
#[derive(Debug)]
pub struct DataError {
    /// The file, if the set comes from one.
    pub path: Option<PathBuf>,
    /// What is wrong.
    pub defect: Defect,
}

/// What is wrong with a data set.
#[derive(Debug)]
#[non_exhaustive]
pub enum Defect {
    /// The file is not there.
    Missing {
        /// How to get it.
        remedy: &'static str,
        /// Under which other names it was looked for.
        names: Vec<String>,
    },
    /// None of several files that would do is sound.
    Each(
        /// What is wrong with each.
        Vec<DataError>,
    ),
    /// The file could not be read or unpacked.
    Io(io::Error),
    /// An IDX file begins with another number.
    Magic {
        /// What this kind of file begins with.
        expected: u32,
        /// What it begins with.
        found: u32,
    },
    /// The file is gzipped, and is to be read here and there.
    Gzipped,
    /// The images of a file are of another size than those of the first.
    Shape {
        /// Height, width, depth of those of the first.
        expected: [usize; 3],
        /// Of these.
        found: [usize; 3],
    },
    /// The file is shorter or longer than its kind and its own header say.
    Length {
        /// In bytes.
        expected: usize,
        /// In bytes.
        found: usize,
    },
    /// The file is no whole number of records.
    Records {
        /// Bytes a record.
        record: usize,
        /// Bytes of the file.
        found: usize,
    },
    /// A line of text is not what it should be.
    Line {
        /// Counted from 1.
        line: usize,
        /// What it should be.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The pixels are not so many whole images.
    Pixels {
        /// Height, width, depth of an image.
        shape: [usize; 3],
        /// How many pixel values there are.
        found: usize,
    },
    /// There are not as many labels as images.
    Count {
        /// Images.
        images: usize,
        /// Labels.
        labels: usize,
    },
    /// A label is none of the classes.
    Label {
        /// The image, counted from 0.
        index: usize,
        /// Its label.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A normalisation for images of another depth, or one that divides by what is no positive
    /// number.
    Normalisation {
        /// How many depth slices an image has.
        depth: usize,
        /// What was asked for.
        found: Normalisation,
    },
    /// There are not as many names as classes.
    Names {
        /// Names.
        names: usize,
        /// Classes.
        classes: usize,
    },
    /// There is no image at all.
    Empty,
    /// A folder has no sub-folder, and so no class.
    #[cfg(feature = "image")]
    NoClass,
    /// A sub-folder is none of the classes asked for.
    #[cfg(feature = "image")]
    OtherClass {
        /// The classes asked for.
        expected: Vec<String>,
    },
    /// An image file cannot be read.
    #[cfg(feature = "image")]
    Picture(PictureError),
    /// Some image files cannot be read.
    #[cfg(feature = "image")]
    Broken(
        /// What is wrong with each, in the order of their paths.
        Vec<DataError>,
    ),
    /// A packed file is none, or not what was written.
    Packed {
        /// Why.
        reason: String,
    },
    /// A share that leaves one side of a split without images.
    Share {
        /// The share asked for.
        share: f64,
        /// How many images there are to split.
        images: usize,
    },
}

impl Defect {
    /// The first of `labels` that is none of so many classes.
    pub(super) fn check_labels(
        labels: impl IntoIterator<Item = usize>,
        classes: usize,
    ) -> Result<(), Self> {
        let mut labels = labels.into_iter().enumerate();
        match labels.find(|&(_, label)| label >= classes) {
            None => Ok(()),
            Some((index, label)) => Err(Self::Label {
                index,
                label,
                classes,
            }),
        }
    }

    /// Blames `path`.
    pub(super) fn at(self, path: &Path) -> DataError {
        DataError {
            path: Some(path.to_owned()),
            defect: self,
        }
    }
}

impl DataError {
    /// Blames `path`, unless another file is to blame.
    pub(super) fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }
}

impl From<Defect> for DataError {
    fn from(defect: Defect) -> Self {
        Self { path: None, defect }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        self.defect.fmt(f)
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { remedy, names } => {
                f.write_str("there is no such file")?;
                for (i, name) in names.iter().enumerate() {
                    write!(f, "{}`{name}`", if i == 0 { ", nor " } else { ", " })?;
                }
                write!(f, "\n{remedy}")
            }
            Self::Each(errors) => {
                f.write_str("none of the files that would do is sound")?;
                errors.iter().try_for_each(|error| write!(f, "\n{error}"))
            }
            Self::Io(error) => write!(f, "{error}"),
            Self::Magic { expected, found } => write!(
                f,
                "an IDX file of this kind begins with {expected:#010x}, this one with {found:#010x}\n\
                 are the files of images and labels swapped, or is it another format?"
            ),
            Self::Gzipped => f.write_str(
                "it is gzipped, and images are to be read from it one here and one there\n\
                 unpack it by `gunzip`, or read it into memory by `data::idx`",
            ),
            Self::Shape { expected, found } => {
                let [[h, w, d], [y, x, z]] = [expected, found];
                write!(
                    f,
                    "its images are of {x}x{y}x{z}, and those of the first file of {w}x{h}x{d}\n\
                     one set has images of one size"
                )
            }
            Self::Length { expected, found } => {
                write!(
                    f,
                    "{found} bytes, where {expected} are expected\ncopy or download it again"
                )
            }
            Self::Records { record, found } => write!(
                f,
                "{found} bytes are no whole number of records of {record}\n\
                 copy or download it again; the binary version is the one to take"
            ),
            Self::Line {
                line,
                expected,
                found,
            } => {
                write!(f, "line {line}: expected {expected}, found {found}")
            }
            Self::Pixels {
                shape: [h, w, d],
                found,
            } => write!(
                f,
                "{found} pixel values are no whole number of images of {w}x{h}x{d}, {} each",
                h * w * d
            ),
            Self::Count { images, labels } => write!(
                f,
                "there are {images} images and {labels} labels\none label an image is expected"
            ),
            Self::Label {
                index,
                label,
                classes,
            } => write!(
                f,
                "image {index} has the label {label}, and there are {classes} classes\n\
                 labels count from 0: the largest is {}; if there are more classes, say so to \
                 `data::idx` or `Images::new`",
                classes.saturating_sub(1)
            ),
            Self::Normalisation { depth, found } => write!(
                f,
                "images of depth {depth} cannot be normalised by {found:?}\n\
                 one finite mean and one positive deviation for each depth slice are expected"
            ),
            Self::Names { names, classes } => write!(
                f,
                "there are {classes} classes and {names} names\none name a class is expected, in the order of \
                 the labels"
            ),
            Self::Empty => write!(f, "there are no images"),
            #[cfg(feature = "image")]
            Self::NoClass => write!(
                f,
                "there is no sub-folder\na sub-folder for each class, named for it, with its images in it, is \
                 expected"
            ),
            #[cfg(feature = "image")]
            Self::OtherClass { expected } => write!(
                f,
                "this is none of the classes, which are {}",
                expected.join(", ")
            ),
            #[cfg(feature = "image")]
            Self::Picture(error) => write!(f, "{error}"),
            #[cfg(feature = "image")]
            Self::Broken(errors) => {
                let (mut shown, files) = (errors.iter().take(MOST_SHOWN), errors.len());
                let files = match files {
                    1 => "a file".to_owned(),
                    _ => format!("{files} files"),
                };
                write!(f, "{files} cannot be read as images")?;
                shown.try_for_each(|error| write!(f, "\n{error}"))?;
                if let more @ 1.. = errors.len().saturating_sub(MOST_SHOWN) {
                    write!(f, "\nand {more} more")?;
                }
                write!(
                    f,
                    "\ntake them out of the folder, or leave them out by `Folder::read_sound`"
                )
            }
            Self::Packed { reason } => write!(
                f,
                "this is no sound packed file: {reason}\ncopy it again, or write it anew by `convnet pack`"
            ),
            Self::Share { share, images } => write!(
                f,
                "a share of {share} of {images} images leaves one side of the split empty\n\
                 take a share between 0 and 1, such as 0.1, of a larger set"
            ),
        }
    }
}

/// Of more broken files than these the others are counted.
#[cfg(feature = "image")]
const MOST_SHOWN: usize = 20;

impl Error for DataError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.defect {
            Defect::Io(error) => Some(error),
            _ => None,
        }
    }
}
