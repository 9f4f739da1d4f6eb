//! What the examples on larger sets have in common.

use std::error::Error;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use convnet::data::Samples;
use convnet::loss::SoftmaxCrossEntropy;
use convnet::train::{Progress, Trainer, evaluate};
use convnet::{Optimizer, Trainable, weights};
use pico_args::Arguments;

pub(crate) mod options;

/// What [`Training::read`] reads.
pub(crate) const HELP: &str = "\
--epochs N         how often each training image is seen (12)
--seed N           decides all that is random (231)
--threads N        on how many threads (as many as there are cores)
--checkpoint FILE  saves the training here after each epoch, and goes on from here if it was killed
--find-rate        does not train: tries a hundred learning rates, a step each, and shows what becomes of the loss
--weights FILE     saves the weights here; if they are there, nothing is trained";

/// The options of every training.
pub(crate) struct Training {
    epochs: usize,
    pub(crate) seed: u64,
    threads: Option<usize>,
    checkpoint: Option<PathBuf>,
    find_rate: bool,
    weights: Option<PathBuf>,
}

impl Training {
    pub(crate) fn read(arguments: &mut Arguments) -> Result<Self, pico_args::Error> {
        Ok(Self {
            epochs: options::value(arguments, "--epochs", 12)?,
            seed: options::value(arguments, "--seed", 231)?,
            threads: arguments.opt_value_from_str("--threads")?,
            checkpoint: arguments.opt_value_from_str("--checkpoint")?,
            find_rate: arguments.contains("--find-rate"),
            weights: arguments.opt_value_from_str("--weights")?,
        })
    }

    /// Trains `net`, then counts what it predicts on `test`.
    pub(crate) fn run<N, O>(
        &self,
        net: &mut N,
        trainer: Trainer<O>,
        training: &impl Samples,
        test: &impl Samples,
    ) -> Result<(), Box<dyn Error>>
    where
        N: Trainable<Scalar = f32> + Display + Send + Sync,
        O: Optimizer<f32> + Display + Sync,
    {
        println!("{net}\n");
        let mut trainer = trainer
            .epochs(self.epochs)
            .seed(self.seed)
            .progress(Progress::Lines);
        if let Some(threads) = self.threads {
            trainer = trainer.threads(threads);
        }
        if let Some(path) = &self.checkpoint {
            trainer = trainer.checkpoint(path);
        }
        if self.find_rate {
            let found = trainer.find_learning_rate(net, training, 1e-6..=1.0, 100)?;
            println!("{found}");
            return Ok(());
        }
        match &self.weights {
            Some(path) if path.exists() => weights::load(net, path)?,
            path => {
                let begin = Instant::now();
                trainer.fit(net, training)?;
                let seconds = begin.elapsed().as_secs_f64();
                println!("{} epochs, {seconds:.0} s", self.epochs);
                path.iter().try_for_each(|path| weights::save(net, path))?;
            }
        }
        println!(
            "On the test set: {}",
            evaluate(net, test, &SoftmaxCrossEntropy::default())?
        );
        Ok(())
    }
}

/// Says what went wrong, if anything did.
pub(crate) fn exit(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
