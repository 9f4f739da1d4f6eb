//! Why a training did not begin, or stopped.

use std::error::Error;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::checkpoint::CheckpointError;
use super::{LossFor, ReduceError, identity};
use crate::data::{DataError, Misfit, Samples, Target};
use crate::file::weights::WeightsError;
use crate::learn::loss::LossError;
use crate::learn::optim::OptimError;
use crate::{AnyVolume, Network, Trainable};

/// Why a training did not begin, or stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum TrainError {
    /// A set has no images.
    Empty {
        /// `training`, `validation`, `evaluation` or `calibration`.
        set: &'static str,
    },
    /// The images are not of the network's size.
    Shape {
        /// `training`, `validation`, `evaluation` or `calibration`.
        set: &'static str,
        /// The network's input: height, width, depth.
        expected: [usize; 3],
        /// The images': height, width, depth.
        found: [usize; 3],
    },
    /// A label has no class score.
    Label {
        /// `training`, `validation`, `evaluation` or `calibration`.
        set: &'static str,
        /// The image.
        image: usize,
        /// Its label.
        label: usize,
        /// How many class scores the network gives.
        scores: usize,
    },
    /// The network cannot answer what it is to answer: it gives more scores than there are classes, a map
    /// where one class is asked for, or a volume of another size.
    Target {
        /// `training`, `validation` or `evaluation`.
        set: &'static str,
        /// The image.
        image: usize,
        /// Why it cannot.
        misfit: Misfit,
    },
    /// The loss is not for what the last layer gives.
    LastLayer {
        /// The layer.
        layer: &'static str,
        /// Its word: `softmax`.
        word: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// The last batch of an epoch has one image, and a `batch_norm` one number a depth slice, which
    /// have no variance.
    OneNumber {
        /// The `batch_norm`.
        layer: &'static str,
        /// How many images there are.
        images: usize,
        /// How many a batch has.
        batch_size: usize,
    },
    /// A setting of the trainer makes no sense.
    Setting {
        /// Which.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The loss of a batch is infinite or no number.
    Diverged {
        /// Counted from 0.
        epoch: usize,
        /// In this epoch, counted from 0.
        batch: usize,
        /// At that step.
        learning_rate: f64,
        /// The mean loss of the batch.
        loss: f64,
    },
    /// A score of an image is NaN.
    Nan {
        /// The image.
        image: usize,
        /// Which score, counted from 0.
        score: usize,
        /// The layer that wrote it.
        layer: &'static str,
        /// The first scalar of the image that is infinite or no number, counted from 0.
        pixel: Option<usize>,
    },
    /// The loss of an image is infinite or no number.
    Scores {
        /// The image.
        image: usize,
        /// Its loss.
        loss: f64,
    },
    /// Images gave a `batch_norm` a statistic that is infinite or no number.
    Statistic {
        /// Layer and tensor: `bn1.variance`.
        tensor: &'static str,
        /// The batch.
        images: Range<usize>,
        /// The statistic.
        value: f64,
    },
    /// The weights are infinite or no number.
    Weights(WeightsError),
    /// What the optimizer keeps of a weight is infinite or no number: from then on the weight would
    /// stand still, and a checkpoint could not be read again.
    Slot {
        /// Which slot of the optimizer, counted from 0.
        slot: usize,
        /// Layer and tensor: `fc1.filters`.
        tensor: &'static str,
        /// The weight's place in it.
        index: usize,
        /// What is kept.
        value: f64,
        /// Counted from 0.
        epoch: usize,
    },
    /// The optimizer's settings make no sense.
    Optim(OptimError),
    /// The loss refused an image.
    Loss(LossError),
    /// The images could not be split.
    Data(DataError),
    /// The checkpoint could not be read or written.
    Checkpoint(CheckpointError),
    /// The report could not be written.
    Report {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The threads could not be started.
    Threads(rayon::ThreadPoolBuildError),
    /// The machines of a training could not add up what they found.
    Reduce(ReduceError),
    /// The machines of a training did not begin alike.
    Unlike {
        /// In what: `seed`, `training set`, `weights`, `checkpoint`.
        what: String,
        /// The first machine that differs from machine 0.
        machine: usize,
        /// What it has.
        found: String,
        /// What machine 0 has.
        expected: String,
    },
    /// A machine no longer has the weights that the others have.
    Strayed {
        /// Which; where two of two differ, machine 1.
        machine: usize,
        /// After how many steps it was seen.
        step: u64,
        /// A checksum of its weights.
        found: u32,
        /// One of the others'.
        expected: u32,
    },
    /// Another machine of the training stopped, by an error of its own.
    Elsewhere {
        /// Which.
        machine: usize,
        /// What it said.
        error: String,
    },
}

impl TrainError {
    /// What can be seen before the first image: sizes and labels.
    pub(super) fn check_samples<N: Network, S: Samples<Y>, Y: Target>(
        set: &'static str,
        samples: &S,
    ) -> Result<(), Self> {
        Self::check_images::<N, _, _>(set, samples)?;
        let classes = samples.classes();
        identity::labels(samples).try_for_each(|image| {
            let label = samples.label(image);
            let misfit = match label.fits(N::Output::SHAPE, classes) {
                Ok(()) => return Ok(()),
                Err(misfit) => misfit,
            };
            Err(match misfit {
                Misfit::Label { label, scores } => Self::Label {
                    set,
                    image,
                    label,
                    scores,
                },
                _ => Self::Target { set, image, misfit },
            })
        })
    }

    /// Whether `loss` is for what the network's last layer gives, as far as that is known.
    pub(super) fn check_loss<N: Network, Y: Target>(
        loss: &impl LossFor<N::Scalar, Y>,
    ) -> Result<(), Self> {
        let Some(last) = N::LAYERS.last() else {
            return Ok(());
        };
        match loss.refuses(last.word()) {
            None => Ok(()),
            Some(advice) => Err(Self::LastLayer {
                layer: last.name,
                word: last.word(),
                advice,
            }),
        }
    }

    /// Whether there are images, and of the network's size.
    pub(super) fn check_images<N: Network, S: Samples<Y>, Y: Target>(
        set: &'static str,
        samples: &S,
    ) -> Result<(), Self> {
        let (expected, found) = (N::Input::SHAPE, samples.shape());
        if samples.is_empty() {
            return Err(Self::Empty { set });
        }
        if expected != found {
            return Err(Self::Shape {
                set,
                expected,
                found,
            });
        }
        Ok(())
    }

    /// Whether each batch has something to normalise by.
    pub(super) fn check_batches<N: Trainable>(
        images: usize,
        batch_size: usize,
        parts: usize,
    ) -> Result<(), Self> {
        let normed = N::LAYERS.iter().filter(|_| N::EXCHANGES);
        let mut small = normed
            .filter(|layer| layer.word() == "batch_norm" && matches!(layer.volume, [1, 1, _]));
        match small.next() {
            Some(layer)
                if [batch_size, images % batch_size]
                    .into_iter()
                    .any(|size| size > 0 && size / parts <= 1) =>
            {
                Err(Self::OneNumber {
                    layer: layer.name,
                    images,
                    batch_size,
                })
            }
            _ => Ok(()),
        }
    }
}

/// More classes than any data set has: ImageNet has 21,841 in all.
const MANY: usize = 1 << 24;

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { set } => write!(f, "the {set} set has no images"),
            Self::Shape {
                set,
                expected: [h, w, d],
                found: [y, x, z],
            } => write!(
                f,
                "the {set} images are {x}x{y}x{z}, and the network's input is {w}x{h}x{d}\n\
                 declare input({x}x{y}x{z}), or bring the images to that size"
            ),
            Self::Label {
                set,
                image,
                label,
                scores,
            } => {
                writeln!(
                    f,
                    "{set} image {image} has the label {label}, and the network gives {scores} class \
                     scores, for labels 0 to {}",
                    scores.saturating_sub(1),
                )?;
                match label.checked_add(1).filter(|&classes| classes <= MANY) {
                    Some(classes) => write!(f, "let the last layer give {classes} scores, or more"),
                    None => f.write_str(
                        "no data set has so many classes: look at how labels are read; one of -1 becomes \
                         such a number",
                    ),
                }
            }
            Self::Target { set, image, misfit } => misfit_of(f, set, *image, misfit),
            Self::LastLayer {
                layer,
                word,
                advice,
            } => {
                write!(
                    f,
                    "the network ends in `{word}` ({layer}), which is not for this loss\n{advice}"
                )
            }
            Self::OneNumber {
                layer,
                images,
                batch_size,
            } => {
                write!(
                    f,
                    "{layer} would see one number a depth slice, which has no variance: "
                )?;
                match images {
                    1 => f.write_str("there is one image\nmore images are expected"),
                    _ => write!(
                        f,
                        "{images} images in batches of {batch_size} leave one image for the last\n\
                         another batch size is expected"
                    ),
                }
            }
            Self::Setting {
                name,
                found,
                expected,
            } => {
                write!(f, "{name} is {found}\n{expected} is expected")
            }
            Self::Diverged {
                epoch,
                batch,
                learning_rate,
                loss,
            } => {
                write!(
                    f,
                    "the loss is {loss} in batch {batch} of epoch {epoch}, at the learning rate \
                     {learning_rate:e}\ntry a tenth of the learning rate, a warm-up, or normalised \
                     images; the last checkpoint is sound"
                )?;
                match loss.is_nan() {
                    true => f.write_str("; `evaluate` names an image that holds NaN"),
                    false => Ok(()),
                }
            }
            Self::Nan {
                image,
                score,
                layer,
                pixel,
            } => {
                writeln!(f, "score {score} of image {image} is NaN, from {layer}")?;
                match pixel {
                    Some(pixel) => write!(
                        f,
                        "scalar {pixel} of the image is not finite: look at how its pixels are read \
                         and normalised"
                    ),
                    None => f.write_str(
                        "its pixels are finite: the network's weights are not, or they or the pixels \
                         are far too large",
                    ),
                }
            }
            Self::Scores { image, loss } => write!(
                f,
                "the loss of image {image} is {loss}\n\
                 its pixels or the network's weights are not finite, or far too large"
            ),
            Self::Statistic {
                tensor,
                images,
                value,
            } => write!(
                f,
                "{tensor} would be {value}, from the images {} to {}\n\
                 their pixels or the network's weights are not finite, or far too large",
                images.start,
                images.end.saturating_sub(1)
            ),
            Self::Slot {
                slot,
                tensor,
                index,
                value,
                epoch,
            } => write!(
                f,
                "slot {slot} of the optimizer holds {value} at index {index} of {tensor}, in epoch \
                 {epoch}: a gradient was too large for it\ntry a tenth of the learning rate, or normalised \
                 images; the last checkpoint is sound"
            ),
            Self::Weights(error) => error.fmt(f),
            Self::Optim(error) => error.fmt(f),
            Self::Loss(error) => error.fmt(f),
            Self::Data(error) => error.fmt(f),
            Self::Checkpoint(error) => error.fmt(f),
            Self::Report { path, error } => write!(
                f,
                "the report {} cannot be written: {error}\na path in a folder that is there, and may be written to, is expected",
                path.display()
            ),
            Self::Threads(error) => error.fmt(f),
            Self::Reduce(error) => write!(
                f,
                "the machines could not add up what they found: {error}\n\
                 the last checkpoint is sound: start all of them again"
            ),
            Self::Unlike {
                what,
                machine,
                found,
                expected,
            } => write!(
                f,
                "the machines differ: {what} is {found} on machine {machine}, and {expected} on machine 0\n\
                 run the same program on each, with the same settings, seeds and images, and with a \
                 checkpoint that all see or none"
            ),
            Self::Strayed {
                machine,
                step,
                found,
                expected,
            } => write!(
                f,
                "machine {machine} has strayed: after step {step} its weights are #{found:08x}, and \
                 #{expected:08x} elsewhere\nits memory or its program is not what the others have; the last \
                 checkpoint is sound"
            ),
            Self::Elsewhere { machine, error } => write!(f, "machine {machine} stopped: {error}"),
        }
    }
}

fn misfit_of(f: &mut fmt::Formatter<'_>, set: &str, image: usize, misfit: &Misfit) -> fmt::Result {
    match *misfit {
        Misfit::Label { label, scores } => write!(
            f,
            "{set} image {image} has the label {label}, and the network gives {scores} scores"
        ),
        Misfit::Classes { scores, classes } => write!(
            f,
            "the network gives {scores} class scores, and the {set} set has {classes} classes\n\
             let the last layer give {classes} scores; or, if the other classes have no images yet, make \
             the set one of {scores} classes"
        ),
        Misfit::Map {
            output: [h, w, d],
            classes,
        } => {
            let scores = if classes > 0 { classes } else { d };
            write!(
                f,
                "the network gives a map of {w}x{h}x{d}, and the {set} set one class an image\n\
                 end the network in `fc({scores})`, or in `conv({scores}, 1x1), global_avg_pool`; a class a \
                 pixel is a set of `ClassMap`s and the loss `PerPixel`"
            )
        }
        Misfit::Shape {
            target: [y, x, z],
            output: [h, w, d],
        } => write!(
            f,
            "the target of {set} image {image} is {x}x{y}x{z}, and the network gives {w}x{h}x{d}\n\
             let the last layer give {x}x{y}x{z}, or bring the targets to that size"
        ),
    }
}

impl Error for TrainError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Weights(error) => Some(error),
            Self::Optim(error) => Some(error),
            Self::Loss(error) => Some(error),
            Self::Data(error) => Some(error),
            Self::Checkpoint(error) => Some(error),
            Self::Report { error, .. } => Some(error),
            Self::Threads(error) => Some(error),
            Self::Reduce(error) => Some(&**error),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($variant:ident($error:ty);)*) => {$(
        impl From<$error> for TrainError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    Weights(WeightsError);
    Optim(OptimError);
    Loss(LossError);
    Data(DataError);
    Checkpoint(CheckpointError);
    Threads(rayon::ThreadPoolBuildError);
}
