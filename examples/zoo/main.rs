//! A zoo of known networks, one line each, beside what is published of them.
//!
//! `cargo run --release --example zoo`, or with the names of some: `… -- LeNet-5 AlexNet`
//!
//! `docs/zoo.md` shows what it prints, and how long it takes to compile.
//!
//! The declarations are in `networks/`; `tests/zoo/counts.rs` holds every volume against its source. What
//! does not come out even, and how each of them says so:
//!
//! | network | layer | needs |
//! |---|---|---|
//! | AlexNet of torchvision | conv1: 224, F = 11, S = 4, P = 2 | `fit = crop`: 55.25 |
//! | ZFNet | conv1: 224, F = 7, S = 2, P = 1 | `fit = crop`: 110.5 |
//! | ZFNet | pool1, pool2: 110 and 26, F = 3, S = 2 | `fit = pad`: 54.5, 12.5 |
//! | SqueezeNet 1.0 | conv1: 224, F = 7, S = 2 | `fit = crop`: 109.5 |
//! | | the pool behind fire4: 54, F = 3, S = 2 | `fit = pad`: 26.5 |
//! | SqueezeNet 1.1 | conv1: 224, F = 3, S = 2 | `fit = crop`: 111.5 |
//! | GoogLeNet | conv1: 224, F = 7, S = 2, P = 3 | `fit = crop`: 112.5 |
//! | | pool1, pool2, pool3: 112, 56 and 28, F = 3, S = 2 | `fit = pad`: 55.5, 27.5, 13.5 |
//! | ResNet-18, 34 and 50, DenseNet-121 | the first conv (F = 7, P = 3), the pool (F = 3, P = 1), all convs that step by 2 | `fit = crop` |
//! | MobileNetV2 and V3, MNASNet, EfficientNet-B0, ShuffleNetV2 | all that steps by 2 | `fit = crop` |
//! | Caffe's cifar10_quick | pool1, pool2, pool3: 32, 16 and 8, F = 3, S = 2 | `fit = pad`: 15.5, 7.5, 3.5 |
//! | LeNet-5, AlexNet at 227, VGG, U-Net, Inception-v3, MobileNet with TensorFlow's padding, ConvNetJS | | nothing |
#![forbid(unsafe_code)]

mod networks;

use std::time::{Duration, Instant};

use convnet::prepare::Prepare;
use convnet::{AnyVolume, Network, Prepared, Rng};
use networks::*;

/// A network, what it is called, and its published parameters and multiply-adds.
macro_rules! zoo {
    ($($name:literal $net:ident, $parameters:expr, $macs:expr;)*) => {
        const NAMES: &[&str] = &[$($name),*];

        fn run(name: &str) {
            match name {
                $($name => show::<$net>(name, $net::PARAMETERS, $net::MACS, [$parameters, $macs]),)*
                _ => println!("there is no {name}; there are {}", NAMES.join(", ")),
            }
        }
    };
}

zoo! {
    "LeNet-5" LeNet5, "61,706", "";
    "ConvNetJS" ConvNetJs, "22,466", "3,920,000";
    "cifar10_quick" Cifar10Quick, "145,578", "12,354,176";
    "MobileNet" MobileNet, "4,231,976", "569 M";
    "MobileNetV2" MobileNetV2, "3,504,872", "0.30 G";
    "MobileNetV3s" MobileNetV3Small, "2,542,856", "0.06 G";
    "MobileNetV3l" MobileNetV3Large, "5,483,032", "0.22 G";
    "MNASNet" MnasNet, "4,383,312", "0.31 G";
    "EfficientNetB0" EfficientNetB0, "5,288,548", "0.39 G";
    "AlexNet" AlexNet, "60,965,224", "724,406,816";
    "TorchAlexNet" TorchAlexNet, "61,100,840", "0.71 G";
    "ZFNet" ZfNet, "", "";
    "SqueezeNet1.0" SqueezeNet10, "1,248,424", "0.82 G";
    "SqueezeNet1.1" SqueezeNet11, "1,235,496", "0.35 G";
    "GoogLeNet" GoogLeNet, "6,624,904", "1.50 G";
    "Inception-v3" InceptionV3, "23,834,568", "5.71 G";
    "ShuffleNetV2" ShuffleNetV2, "2,278,604", "0.15 G";
    "ResNet-18" ResNet18, "11,689,512", "1.81 G";
    "ResNet-34" ResNet34, "21,797,672", "3.66 G";
    "ResNet-50" ResNet50, "25,557,032", "4.09 G";
    "DenseNet-121" DenseNet121, "7,978,856", "2.83 G";
    "U-Net" UNet, "31,037,633", "";
    "VGG-16" Vgg16, "138,357,544", "15.47 G";
    "VGG-19" Vgg19, "143,667,240", "19.63 G";
}

fn main() {
    println!(
        "{:<15}{:>12}{:>13}{:>13}{:>16}{:>13}{:>13}{:>10}{:>12}{:>13}",
        "network",
        "input",
        "parameters",
        "published",
        "multiply-adds",
        "published",
        "arena bytes",
        "build ms",
        "forward ms",
        "prepared ms",
    );
    let asked: Vec<String> = std::env::args().skip(1).collect();
    match asked.is_empty() {
        true => NAMES.iter().for_each(|name| run(name)),
        false => asked.iter().for_each(|name| run(name)),
    }
}

/// Builds the network in place with random filters, and runs it, as declared and prepared: the fastest
/// of five each.
fn show<N: Prepare + Network<Scalar = f32>>(
    name: &str,
    parameters: usize,
    macs: u64,
    published: [&str; 2],
) {
    let clock = Instant::now();
    let mut net: Box<N> = bytemuck::zeroed_box();
    convnet::init::Init::default().fill(&mut *net, 231);
    let build = clock.elapsed();

    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    let mut rng = Rng::new(231);
    image
        .as_mut_slice()
        .iter_mut()
        .for_each(|pixel| *pixel = rng.uniform() as f32);
    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    let forward = fastest(|| finite(net.forward(&image, &mut arena)));
    let fast = Prepared::new(&*net);
    let mut arena = fast.arena();
    let prepared = fastest(|| finite(fast.forward(&image, &mut arena)));
    let [h, w, d] = N::Input::SHAPE;
    println!(
        "{name:<15}{:>12}{:>13}{:>13}{:>16}{:>13}{:>13}{:>10.1}{:>12.3}{:>13.3}",
        format!("{w}x{h}x{d}"),
        grouped(parameters as u64),
        published[0],
        grouped(macs),
        published[1],
        grouped(size_of::<N::Arena>() as u64),
        build.as_secs_f64() * 1e3,
        forward.as_secs_f64() * 1e3,
        prepared.as_secs_f64() * 1e3,
    );
}

fn fastest(mut run: impl FnMut()) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let clock = Instant::now();
        run();
        fastest = fastest.min(clock.elapsed());
    }
    fastest
}

fn finite<V: AnyVolume<Scalar = f32>>(scores: &V) {
    assert!(scores.as_slice().iter().all(|score| score.is_finite()));
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
