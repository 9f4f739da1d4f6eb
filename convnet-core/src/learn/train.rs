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
//! ```
//! # use convnet_core as convnet;
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/digit.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/digits.csv.gz");
//! # let mut net: Box<Digit> = bytemuck::zeroed_box();
//! use convnet::data;
//! use convnet::init::Init;
//! use convnet::loss::SoftmaxCrossEntropy;
//! use convnet::optim::Adam;
//! use convnet::train::{Trainer, evaluate};
//!
//! let digits = data::digits(path)?;
//! let (training, test) = data::split(&digits, 0.2, 0)?;
//! Init::default().fill(&mut *net, 231);
//! let history = Trainer::new(Adam::default())
//!     .learning_rate(3e-3)
//!     .epochs(2)
//!     .fit(&mut *net, &training)?;
//! assert!(history.epochs[1].training.loss < history.epochs[0].training.loss);
//!
//! let seen = evaluate(&*net, &test, &SoftmaxCrossEntropy::default())?;
//! println!("{seen}"); // the confusion matrix
//! assert!(seen.accuracy() > 0.8);
//! # Ok(())
//! # }
//! ```
//!
//! **Invariant:** what comes out depends on the settings and the images, to the bit; not on the
//! number of threads, the time, or how often the training was killed and resumed; nor on how many
//! machines share it, by a [`Reduce`].

mod batch;
mod calibrate;
mod checkpoint;
mod error;
mod evaluation;
mod finish;
mod gradient;
mod history;
mod identity;
mod loss_for;
mod pass;
mod progress;
mod range_test;
mod reduce;
mod run;
mod trainer;

pub use calibrate::calibrate;
pub use checkpoint::{CheckpointDefect, CheckpointError};
pub use error::TrainError;
pub use evaluation::{Evaluation, MOST_DRAWN, evaluate, evaluate_across};
pub use history::{Epoch, History, Metrics};
pub use loss_for::LossFor;
pub use progress::Progress;
pub use range_test::{RangeTest, RatePoint};
pub use reduce::{Local, Reduce, ReduceError, Summands};
pub use trainer::Trainer;
