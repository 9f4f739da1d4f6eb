//! Lesson 5, a larger set: 70,000 pictures of clothes, Fashion-MNIST.
//!
//! `apt-get install dataset-fashion-mnist`, then `cargo run --release --example fashion`; with `-- --int8` the network
//! in bytes, too
#![forbid(unsafe_code)]

mod common;
#[path = "common/int8.rs"]
mod int8;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use common::{Training, options};
use convnet::convnet;
use convnet::data::{self, Samples};
use convnet::optim::AdamW;
use convnet::schedule::Cosine;
use convnet::train::Trainer;

convnet! {
    /// T-shirt, trousers, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.
    pub struct Fashion {
        input(28x28x1),
        conv1: conv(32, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(64, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        dropout(0.25),
        fc1: fc(128),
        relu,
        dropout(0.5),
        scores: fc(10),
    }
}
convnet::int8!(Fashion);

fn main() -> ExitCode {
    let help = format!(
        "Trains on Fashion-MNIST.\n\n--data FOLDER      the folder of the four IDX files, gzipped or not ({DATA})\n{}\n{}",
        common::HELP,
        int8::HELP
    );
    let (data, training, in_bytes) = options::read(&help, |arguments| {
        let data: PathBuf = options::value(arguments, "--data", DATA.into())?;
        let in_bytes = int8::read(arguments)?;
        Ok((data, Training::read(arguments)?, in_bytes))
    });
    common::exit(run(&data, &training, in_bytes))
}

const DATA: &str = "/usr/share/datasets/fashion-mnist";

fn run(data: &Path, training: &Training, in_bytes: Option<usize>) -> Result<(), Box<dyn Error>> {
    let (train, test) = data::mnist(data)?;
    let statistics = train.statistics();
    let train = train.normalised(&statistics)?.random_flips();
    let test = test.normalised(&statistics)?;
    let trainer = Trainer::new(AdamW::default())
        .schedule(|steps| Cosine {
            rate: 1e-3,
            floor: 0.0,
            steps,
        })
        .batch_size(64);
    let mut net = Fashion::random(training.seed);
    training.run(&mut *net, trainer, &train, &test)?;
    if let Some(epochs) = in_bytes {
        int8::quantize(&mut *net, &train, &test, epochs)?;
    }
    Ok(())
}
