//! Lesson 6, LeNet: the network that read cheques, on the digits that it was made for.
//!
//! `cargo run --release --example mnist -- --data FOLDER`, with MNIST's four IDX files in it
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
use convnet::optim::Adam;
use convnet::schedule::Cosine;
use convnet::train::Trainer;

convnet! {
    /// LeNet-5 (LeCun et al. 1998), with max pooling and relu, as it is built today.
    pub struct LeNet {
        input(28x28x1),
        conv1: conv(6, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(16, 5x5),
        relu,
        max_pool(2x2, stride = 2),
        fc1: fc(120),
        relu,
        fc2: fc(84),
        relu,
        scores: fc(10),
    }
}
convnet::int8!(LeNet);

fn main() -> ExitCode {
    let help = format!(
        "Trains LeNet-5 on MNIST.\n\n--data FOLDER      the folder of the four IDX files, gzipped or not ({DATA})\n{}\n{}",
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

const DATA: &str = "data/mnist";

fn run(data: &Path, training: &Training, in_bytes: Option<usize>) -> Result<(), Box<dyn Error>> {
    let (train, test) = data::mnist(data)?;
    let statistics = train.statistics();
    let train = train.normalised(&statistics)?.random_shifts(2);
    let test = test.normalised(&statistics)?;
    let trainer = Trainer::new(Adam::default())
        .schedule(|steps| Cosine {
            rate: 2e-3,
            floor: 0.0,
            steps,
        })
        .batch_size(64);
    let mut net = LeNet::random(training.seed);
    training.run(&mut *net, trainer, &train, &test)?;
    if let Some(epochs) = in_bytes {
        int8::quantize(&mut *net, &train, &test, epochs)?;
    }
    Ok(())
}
