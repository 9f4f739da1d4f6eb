//! Lesson 8, small: the network of the page (`web`), ten filters everywhere, with the names of its classes.
//!
//! `cargo run --release --example tiny_vgg -- --data FOLDER --weights tiny_vgg.safetensors`, with the six files of
//! CIFAR-10's binary version in it (<https://www.cs.toronto.edu/~kriz/cifar.html>)
//!
//! It learns with a batch norm behind each convolution, without which so narrow a network learns far slower, and is
//! saved without: there, each is part of the convolution in front of it.
#![forbid(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
mod network;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use common::{Training, options};
use convnet::classify::Classifier;
use convnet::convnet;
use convnet::data::{self, Samples};
use convnet::layer::{BatchNorm, Conv, Slide};
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::AdamW;
use convnet::schedule::{Cosine, WarmUp};
use convnet::train::{Trainer, evaluate};
use network::TinyVgg;

convnet! {
    /// As it learns.
    struct Learner {
        input(32x32x3),
        [[conv(10, 3x3, pad = 1), batch_norm, relu] * 2, max_pool(2x2, stride = 2)] * 3,
        scores: fc(10),
    }
}

impl TinyVgg {
    /// What `learner` has learnt, its batch norms by their running statistics.
    fn of(learner: &Learner) -> Box<Self> {
        let mut net = Self::boxed();
        net.conv1 = folded(&learner.conv1, &learner.batch_norm1);
        net.conv2 = folded(&learner.conv2, &learner.batch_norm2);
        net.conv3 = folded(&learner.conv3, &learner.batch_norm3);
        net.conv4 = folded(&learner.conv4, &learner.batch_norm4);
        net.conv5 = folded(&learner.conv5, &learner.batch_norm5);
        net.conv6 = folded(&learner.conv6, &learner.batch_norm6);
        net.scores = learner.scores.clone();
        net
    }
}

/// The convolutions of both networks.
type Conv3x3<const D: usize> = Conv<f32, 3, 3, D, 10, Slide<1, 1, 1, 1>, D>;

/// One convolution that computes both: γ(wx + b − μ)/√(σ² + ε) + β, a filter each.
fn folded<const D: usize>(conv: &Conv3x3<D>, norm: &BatchNorm<f32, 10>) -> Conv3x3<D> {
    let mut conv = conv.clone();
    for k in 0..10 {
        let scale = norm.gamma[k] / (norm.variance[k] + norm.epsilon() as f32).sqrt();
        conv.bias[k] = scale * (conv.bias[k] - norm.mean[k]) + norm.beta[k];
        for weights in conv.filters.iter_mut().flatten().flatten() {
            weights[k] *= scale;
        }
    }
    conv
}

fn main() -> ExitCode {
    let help = format!(
        "Trains a very small network on CIFAR-10.\n\n\
         --data FOLDER      the folder of data_batch_1.bin to data_batch_5.bin and test_batch.bin (data/cifar-10-batches-bin)\n\
         --weights FILE     where the network goes, with the names of its classes (tiny_vgg.safetensors)\n{}",
        common::HELP
    );
    let (data, weights, training) = options::read(&help, |arguments| {
        let data: PathBuf =
            options::value(arguments, "--data", "data/cifar-10-batches-bin".into())?;
        let weights: PathBuf =
            options::value(arguments, "--weights", "tiny_vgg.safetensors".into())?;
        Ok((data, weights, Training::read(arguments)?))
    });
    common::exit(run(&data, &weights, &training))
}

fn run(data: &Path, weights: &Path, training: &Training) -> Result<(), Box<dyn Error>> {
    let (train, test) = data::cifar10(data)?;
    let statistics = train.statistics();
    let train = train.normalised(&statistics)?;
    let test = test.normalised(&statistics)?;
    // So small a network learns too little rather than too much: no weight decay, and no shifts.
    let trainer = Trainer::new(AdamW {
        weight_decay: 0.0,
        ..AdamW::default()
    })
    .schedule(|steps| {
        let warm = steps / 20;
        WarmUp {
            steps: warm,
            then: Cosine {
                rate: 6e-3,
                floor: 0.0,
                steps: steps - warm,
            },
        }
    })
    .batch_size(64);
    let mut learner = Learner::random(training.seed);
    training.run(&mut *learner, trainer, &(&train).random_flips(), &test)?;
    let net = TinyVgg::of(&learner);
    println!(
        "Without batch norms: {}",
        evaluate(&*net, &test, &SoftmaxCrossEntropy::default())?
    );
    Classifier::new(net, &train)?.save(weights)?;
    println!("Saved to {}", weights.display());
    Ok(())
}
