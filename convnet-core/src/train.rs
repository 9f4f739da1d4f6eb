//! # Training: a network, images, and many steps
//!
//! ```text
//!  Samples ──▶ Trainer::fit ──▶ epochs of batches ──▶ History, and the network has learned
//!                    │  ▲
//!                    ▼  │ after a kill
//!                 checkpoint
//! ```
//!
//! Read [`Trainer`] first. Any network that is [`Trainable`](crate::Trainable) can be trained, by
//! any [`Loss`](crate::Loss) and [`Optimizer`](crate::Optimizer), on any
//! [`Samples`](crate::data::Samples). Without `std`, the same `backward` and the same optimizers are
//! called by hand; nothing here is needed for them.
//!
//! **Invariant:** what comes out depends on the settings and the images, to the bit; not on the
//! number of threads, the time, or how often the training was killed and resumed.

mod batch;
mod checkpoint;
mod error;
mod evaluation;
mod history;
mod identity;
mod progress;
mod run;
mod trainer;

pub use checkpoint::{CheckpointDefect, CheckpointError};
pub use error::TrainError;
pub use evaluation::{Evaluation, evaluate};
pub use history::{Epoch, History, Metrics};
pub use progress::Progress;
pub use trainer::Trainer;
