//! Lesson 9, what is not in the list of words: a layer of your own, with parameters; and a network as
//! a block of another.
//!
//! `cargo run --release --example own_layer`
//!
//! The layer is a relu whose slope below zero is learned. It stands in a block that is declared once
//! and used three times, each time with parameters of its own.
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;

use convnet::gradient_check::GradientCheck;
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::train::{Trainer, evaluate};
use convnet::{Layer, OnHeap, Real, Rng, Volume, convnet, data, parameters};

parameters! {
    /// max(0, x) + slope·min(0, x): the `prelu` of K. He et al., *Delving deep into rectifiers*, 2015.
    pub struct PRelu<T, const D: usize> {
        /// One for each depth slice. It begins at 0 as a bias does, and is not decayed either.
        pub slope: Bias [D],
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for PRelu<T, D>
{
    const MACS: u64 = (H * W * D) as u64;

    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            for ((y, &x), &slope) in y.iter_mut().zip(x).zip(&self.slope) {
                *y = if x > T::ZERO { x } else { slope * x };
            }
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        // What a positive input is multiplied by is 1, a negative one the slope.
        for ((dx, x), dy) in dx
            .iter_mut()
            .flatten()
            .zip(x.iter().flatten())
            .zip(dy.iter().flatten())
        {
            for d in 0..D {
                dx[d] = if x[d] > T::ZERO {
                    dy[d]
                } else {
                    self.slope[d] * dy[d]
                };
            }
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        for (x, dy) in x.iter().flatten().zip(dy.iter().flatten()) {
            for d in 0..D {
                gradient.slope[d] += x[d].min(T::ZERO) * dy[d];
            }
        }
    }
}

convnet! {
    /// A block: `T` is the scalar of whatever network it is in.
    pub struct Block {
        input(8x8x12),
        conv1: conv(12, 3x3, pad = 1),
        prelu: layer(PRelu<T, 12>, 8x8x12),
    }
}

convnet! {
    /// Reads a digit of 8x8 pixels.
    pub struct Digits {
        input(8x8x1),
        stem: conv(12, 3x3, pad = 1),
        block: network(Block),
        [residual { network(Block) }] * 2,
        max_pool(2x2, stride = 2),
        dropout(0.25),
        scores: fc(10),
    }
}

convnet! {
    /// Small enough to check every number of it.
    pub struct Tiny {
        input(4x4x2),
        conv(3, 3x3),
        layer(PRelu<T, 3>, 2x2x3),
        fc(4),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // A backward written by hand is checked before it is used (lesson 3).
    let mut rng = Rng::new(7);
    let image = &mut *Volume::boxed();
    image.as_mut_slice().fill_with(|| rng.normal());
    let net = &mut *Tiny::<f64>::random(231);
    net.layer1.slope = [0.25, 0.0, -0.5];
    let report = GradientCheck::default().run(net, image, 3, &SoftmaxCrossEntropy::default())?;
    println!("gradients: {report}");
    if report.error > 1e-6 {
        return Err(format!("backward is wrong: {report}").into());
    }

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits.csv.gz");
    let digits = data::digits(&path)?;
    let (training, test) = data::split(&digits, 0.2, 231)?;
    let mut net = Digits::<f32>::random(231);
    println!("\n{net}\n");
    Trainer::new(Adam::default())
        .epochs(10)
        .seed(231)
        .fit(&mut *net, &training)?;
    let seen = evaluate(&*net, &test, &SoftmaxCrossEntropy::default())?;
    println!("On digits held out: {seen}");
    println!("Slopes in the first block: {:.2?}", net.block.prelu.slope);
    Ok(())
}
