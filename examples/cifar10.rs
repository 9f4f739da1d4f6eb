//! Lesson 7, colour: CIFAR-10, with CS231n's example network, with a deeper one, and with a small MobileNet.
//!
//! `cargo run --release --example cifar10 -- --data FOLDER`, with the six files of its binary version
//! in it (<https://www.cs.toronto.edu/~kriz/cifar.html>)
#![forbid(unsafe_code)]

mod common;
#[path = "common/int8.rs"]
mod int8;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use common::{Training, options};
use convnet::convnet;
use convnet::data::{self, Samples};
use convnet::optim::AdamW;
use convnet::schedule::{Cosine, WarmUp};
use convnet::train::Trainer;

convnet! {
    /// CS231n's example network.
    pub struct Cs231n {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

convnet! {
    /// CS231n's pattern [[CONV -> RELU]*N -> POOL]*M -> FC.
    pub struct Deep {
        input(32x32x3),
        [conv(32, 3x3, pad = 1), relu] * 2,
        max_pool(2x2, stride = 2),
        [conv(64, 3x3, pad = 1), relu] * 2,
        max_pool(2x2, stride = 2),
        conv(128, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        dropout(0.25),
        scores: fc(10),
    }
}

convnet! {
    /// Depth slice by depth slice, then depth columns, as a MobileNet.
    pub struct Mobile {
        input(32x32x3),
        conv(32, 3x3, pad = 1, bias = none), batch_norm, relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm, relu6,
        conv(64, 1x1, bias = none), batch_norm, relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm, relu6,
        conv(128, 1x1, bias = none), batch_norm, relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm, relu6,
        conv(128, 1x1, bias = none), batch_norm, relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm, relu6,
        conv(256, 1x1, bias = none), batch_norm, relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm, relu6,
        conv(256, 1x1, bias = none), batch_norm, relu6,
        global_avg_pool,
        scores: fc(10),
    }
}
convnet::int8!(Cs231n);
convnet::int8!(Deep);
convnet::int8!(Mobile);

#[derive(Clone, Copy)]
enum Net {
    Cs231n,
    Deep,
    Mobile,
}

impl FromStr for Net {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "cs231n" => Ok(Self::Cs231n),
            "deep" => Ok(Self::Deep),
            "mobile" => Ok(Self::Mobile),
            _ => Err("it is cs231n, deep or mobile"),
        }
    }
}

const DATA: &str = "data/cifar-10-batches-bin";

fn main() -> ExitCode {
    let help = format!(
        "Trains on CIFAR-10.\n\n\
         --data FOLDER      the folder of data_batch_1.bin to data_batch_5.bin and test_batch.bin ({DATA})\n\
         --net NAME         which network, cs231n, deep or mobile (deep)\n{}\n{}",
        common::HELP,
        int8::HELP
    );
    let (data, net, training, in_bytes) = options::read(&help, |arguments| {
        let data: PathBuf = options::value(arguments, "--data", DATA.into())?;
        let net = options::value(arguments, "--net", Net::Deep)?;
        let in_bytes = int8::read(arguments)?;
        Ok((data, net, Training::read(arguments)?, in_bytes))
    });
    common::exit(run(&data, net, &training, in_bytes))
}

fn run(
    data: &Path,
    net: Net,
    training: &Training,
    in_bytes: Option<usize>,
) -> Result<(), Box<dyn Error>> {
    let (train, test) = data::cifar10(data)?;
    let statistics = train.statistics();
    let train = train
        .normalised(&statistics)?
        .random_flips()
        .random_shifts(4);
    let test = test.normalised(&statistics)?;
    let trainer = Trainer::new(AdamW::default())
        .schedule(|steps| {
            let warm = steps / 20;
            WarmUp {
                steps: warm,
                then: Cosine {
                    rate: 2e-3,
                    floor: 0.0,
                    steps: steps - warm,
                },
            }
        })
        .batch_size(64);
    macro_rules! run {
        ($net:ident) => {{
            let mut net = $net::random(training.seed);
            training.run(&mut *net, trainer, &train, &test)?;
            if let Some(epochs) = in_bytes {
                int8::quantize(&mut *net, &train, &test, epochs)?;
            }
        }};
    }
    match net {
        Net::Cs231n => run!(Cs231n),
        Net::Deep => run!(Deep),
        Net::Mobile => run!(Mobile),
    }
    Ok(())
}
