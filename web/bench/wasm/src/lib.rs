//! What is measured: the page's network on an image, and a training step of LeNet-5.

#![forbid(unsafe_code)]

use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::{Sgd, Step};
use convnet::prepare::{Prepared, PreparedArena};
use convnet::{Arena, Loss, Optimizer, Tape, Volume, convnet};
use convnet_web::demo::TinyVgg;
use wasm_bindgen::prelude::wasm_bindgen;

convnet! {
    /// That of `examples/mnist.rs`.
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

/// The forward pass of the page's network: as the page computes it, and prepared.
#[wasm_bindgen]
pub struct Forward {
    net: Prepared<Box<TinyVgg>>,
    image: Box<Volume<f32, 32, 32, 3>>,
    arena: Box<Arena<TinyVgg>>,
    prepared: PreparedArena<TinyVgg>,
}

#[wasm_bindgen]
impl Forward {
    /// With random filters.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        let net = Prepared::new(TinyVgg::random(231));
        Self {
            image: Volume::boxed(),
            arena: TinyVgg::arena(),
            prepared: net.arena(),
            net,
        }
    }

    /// The scores of an image.
    ///
    /// # Panics
    ///
    /// If it has not 32x32x3 numbers.
    pub fn run(&mut self, image: &[f32]) -> Vec<f32> {
        self.image.as_mut_slice().copy_from_slice(image);
        let scores = self.net.network().forward(&self.image, &mut self.arena);
        scores.as_slice().to_vec()
    }

    /// As [`run`](Self::run), by filters that were repacked once.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn prepared(&mut self, image: &[f32]) -> Vec<f32> {
        self.image.as_mut_slice().copy_from_slice(image);
        let scores = self.net.forward(&self.image, &mut self.prepared);
        scores.as_slice().to_vec()
    }
}

/// Training steps of [`LeNet`].
#[wasm_bindgen]
pub struct Training {
    net: Box<LeNet>,
    gradient: Box<LeNet>,
    image: Box<Volume<f32, 28, 28, 1>>,
    tape: Box<Tape<LeNet>>,
    steps: u64,
}

#[wasm_bindgen]
impl Training {
    /// With random filters.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        Self {
            net: LeNet::random(231),
            gradient: LeNet::boxed(),
            image: Volume::boxed(),
            tape: LeNet::tape(),
            steps: 0,
        }
    }

    /// One step of SGD on a batch; the mean loss.
    ///
    /// # Errors
    ///
    /// If a label is no digit.
    pub fn step(&mut self, images: &[f32], labels: &[u8], rate: f64) -> Result<f64, String> {
        let batch = labels.len() as f32;
        let mut sum = 0.0;
        self.gradient = LeNet::boxed();
        for (image, &label) in images.chunks_exact(28 * 28).zip(labels) {
            self.image.as_mut_slice().copy_from_slice(image);
            let scores = self
                .net
                .forward_train(&self.image, &mut self.tape, self.steps);
            let mut d_scores = Volume::ZERO;
            let loss = SoftmaxCrossEntropy::default()
                .loss(
                    scores.as_slice(),
                    usize::from(label),
                    d_scores.as_mut_slice(),
                )
                .map_err(|error| error.to_string())?;
            sum += f64::from(loss);
            d_scores.as_mut_slice().iter_mut().for_each(|d| *d /= batch);
            let Self {
                net,
                gradient,
                image,
                tape,
                ..
            } = self;
            net.backward(image, None, tape, &d_scores, gradient);
        }
        let step = Step {
            rate,
            count: self.steps,
        };
        self.steps += 1;
        Sgd::default()
            .step(step, &mut *self.net, &*self.gradient, &mut [])
            .map_err(|error| error.to_string())?;
        Ok(sum / labels.len() as f64)
    }
}
