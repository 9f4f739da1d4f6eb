//! Digits on any number of ranks: the same file to the bit.
//!
//! `mpirun -n 3 target/release/examples/digits --weights digits.safetensors`
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use convnet::data::{self, Samples};
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::schedule::Cosine;
use convnet::train::{Trainer, evaluate_across};
use convnet::{Trainable, convnet, weights};
use convnet_mpi::Ranks;
use pico_args::Arguments;

convnet! {
    /// Reads a digit of 8x8 pixels.
    pub struct Digits {
        input(8x8x1),
        conv(16, 3x3, pad = 1, bias = none),
        batch_norm,
        relu,
        max_pool(2x2),
        conv(32, 3x3, pad = 1, bias = none),
        batch_norm,
        relu,
        max_pool(2x2),
        dropout(0.25),
        scores: fc(10),
    }
}

convnet! {
    /// Another network: ranks that do not train the same do not begin.
    struct Other { input(8x8x1), conv(16, 3x3, pad = 1), relu, max_pool(2x2), scores: fc(10) }
}

const DATA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/data/digits.csv.gz"
);

fn main() -> ExitCode {
    convnet_mpi::run(|ranks| {
        let mut options = Arguments::from_env();
        match options.contains("--other") {
            true => train(&mut *Other::random(231), ranks, options),
            false => train(&mut *Digits::random(231), ranks, options),
        }
    })
}

fn train<N>(net: &mut N, ranks: &Ranks, mut options: Arguments) -> Result<(), Box<dyn Error>>
where
    N: Trainable<Scalar = f32> + Send + Sync,
{
    let epochs = options.opt_value_from_str("--epochs")?.unwrap_or(5);
    let threads = options.opt_value_from_str("--threads")?.unwrap_or(1);
    let seed = options.opt_value_from_str("--seed")?.unwrap_or(231);
    let split = options.opt_value_from_str("--split")?.unwrap_or(231);
    let checkpoint: Option<PathBuf> = options.opt_value_from_str("--checkpoint")?;
    let every = options
        .opt_value_from_str("--checkpoint-every")?
        .unwrap_or(10);
    let path: Option<PathBuf> = options.opt_value_from_str("--weights")?;
    let fails: Option<usize> = options.opt_value_from_str("--fails")?;
    let panics: Option<usize> = options.opt_value_from_str("--panics")?;
    let ranks = match options.contains("--in-any-order") {
        true => ranks.clone().in_any_order(),
        false => ranks.clone(),
    };
    // Within one host, too, where the bits of both ways can be compared.
    let ranks = ranks.overlapped(!options.contains("--one-line"));
    if panics == Some(ranks.rank()) {
        panic!("as it was asked to");
    }
    if fails == Some(ranks.rank()) {
        return Err("it was asked to fail".into());
    }

    let digits = data::digits(DATA)?;
    let (training, test) = data::split(&digits, 0.2, split)?;
    let mut trainer = Trainer::new(Adam::default())
        .schedule(|steps| Cosine {
            rate: 3e-3,
            floor: 0.0,
            steps,
        })
        .epochs(epochs)
        .seed(seed)
        .threads(threads)
        .reduce(ranks.clone());
    if let Some(path) = checkpoint {
        trainer = trainer.checkpoint(path).checkpoint_every(every);
    }
    trainer.fit_validated(net, &training.random_shifts(1), &test)?;
    let seen = evaluate_across(net, &test, &SoftmaxCrossEntropy::default(), &ranks)?;
    if ranks.rank() == 0 {
        println!(
            "{:.2} % of the test images are right",
            100.0 * seen.accuracy()
        );
        if let Some(path) = path {
            weights::save(net, path)?;
        }
    }
    Ok(())
}
