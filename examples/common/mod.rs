//! What the examples on larger sets have in common.

use std::error::Error;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use convnet::data::Samples;
use convnet::loss::SoftmaxCrossEntropy;
use convnet::train::{Progress, Trainer, evaluate};
use convnet::{Optimizer, Trainable};

/// The options of every training.
#[derive(Args)]
pub(crate) struct Training {
    /// How often each training image is seen
    #[arg(long, default_value_t = 12)]
    epochs: usize,
    /// Decides all that is random
    #[arg(long, default_value_t = 231)]
    pub(crate) seed: u64,
    /// On how many threads; as many as there are cores if not said
    #[arg(long)]
    threads: Option<usize>,
    /// Saves the training here after each epoch, and goes on from here if it was killed
    #[arg(long)]
    checkpoint: Option<PathBuf>,
}

impl Training {
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
        let begin = Instant::now();
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
        trainer.fit(net, training)?;
        println!(
            "{} epochs, {:.0} s",
            self.epochs,
            begin.elapsed().as_secs_f64()
        );
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
