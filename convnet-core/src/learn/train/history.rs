//! What happened in each epoch.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a training went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Every epoch, in order; those before a checkpoint was resumed, too.
    pub epochs: Vec<Epoch>,
    /// The epoch, counted from 0, with the lowest validation loss, if patience was asked for: the
    /// network has its weights.
    pub best: Option<usize>,
    /// How many epochs, from the first on, had other learning rates than the schedule gives now: it was
    /// told how long the training is, which was [resumed](super::Trainer::checkpoint) with another number
    /// of epochs since. What came out is not what so many epochs at once would have given.
    pub rescheduled: usize,
}

/// One pass over the training images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// On the training images as they were seen: augmented, with dropout, while the weights
    /// changed. The loss has no weight decay in it.
    pub training: Metrics,
    /// On the validation images, after the epoch.
    pub validation: Option<Metrics>,
    /// At the epoch's last step.
    pub learning_rate: f64,
    /// Training images a second, the validation's time left out.
    pub images_per_second: f64,
    /// Of many machines, the seconds a step that each waited for the others and for what they sent; empty on
    /// one. All wait for the slowest, which waits the least.
    #[serde(default)]
    pub waits: Vec<f64>,
}

/// Means over a set of images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Mean loss of an image.
    pub loss: f64,
    /// The share of images (or pixels, or labels) whose class was predicted, from 0 to 1. `None` where
    /// there is no right and wrong: where a network answers with numbers.
    pub accuracy: Option<f64>,
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}", self.loss)?;
        match self.accuracy {
            Some(accuracy) => write!(f, ", accuracy {:.2} %", 100.0 * accuracy),
            None => Ok(()),
        }
    }
}

/// One line.
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.training)?;
        if let Some(validation) = self.validation {
            write!(f, "; validation {validation}")?;
        }
        write!(f, "; {:.0} images/s", self.images_per_second)?;
        for (machine, wait) in self.waits.iter().enumerate() {
            let between = if machine == 0 { "; waits a step" } else { "," };
            write!(f, "{between} {:.1}", 1e3 * wait)?;
        }
        f.write_str(if self.waits.is_empty() { "" } else { " ms" })
    }
}
