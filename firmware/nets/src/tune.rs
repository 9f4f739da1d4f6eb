//! Training on the microcontroller: the last layer of [`digits`](crate::digits) learns to read
//! digits in a mirror.

use convnet::Scores;
use convnet::loss::{Loss, SoftmaxCrossEntropy};
use convnet::optim::{Optimizer, Sgd, Step};
use convnet::{Overlay, Parameters, Tape, convnet};

use crate::Words;
use crate::digits::{IMAGES, Image, NET};

convnet! {
    /// As [`Digits`](crate::digits::Digits), with nothing at random.
    pub struct Tuned {
        input(8x8x1),
        conv1: conv(16, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(32, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

/// All that training needs, for a `static`.
pub struct Memory {
    net: Tuned,
    gradient: Tuned,
    tape: Tape<Tuned>,
    image: Image,
}

impl Memory {
    /// All zero.
    pub const ZERO: Self = Self {
        net: Tuned::ZERO,
        gradient: Tuned::ZERO,
        tape: Overlay::ZERO,
        image: Image::ZERO,
    };
}

/// How often the ten digits are seen.
pub const STEPS: usize = 8;

/// The mean loss of the ten digits before each step.
pub fn run(memory: &mut Memory, words: &mut impl Words) {
    let Memory {
        net,
        gradient,
        tape,
        image,
    } = memory;
    for index in 0..<Tuned>::TENSORS.len() {
        let pairs = net.tensor_mut(index).iter_mut().zip(NET.tensor(index));
        pairs.for_each(|(to, &from)| *to = from);
    }
    for count in 0..STEPS as u64 {
        gradient.fill_zero();
        let mut sum = 0.0;
        words.begin();
        for (label, digit) in IMAGES.iter().enumerate() {
            mirror(digit, image);
            let scores = net.forward_train(image, tape, 0);
            let mut d_scores = Scores::ZERO;
            let loss = SoftmaxCrossEntropy::default().loss(
                scores.as_slice(),
                label,
                d_scores.as_mut_slice(),
            );
            sum += loss.unwrap_or(f32::NAN);
            for d_score in d_scores.as_mut_slice() {
                *d_score /= 10.0;
            }
            net.backward(image, None, tape, &d_scores, gradient);
        }
        step(net, gradient, count);
        words.end();
        words.word((sum / 10.0).to_bits());
    }
    words.scalars(&net.scores.bias);
}

/// Plain gradient descent, on the last layer only.
fn step(net: &mut Tuned, gradient: &Tuned, count: u64) {
    let step = Step { rate: 0.2, count };
    for (index, tensor) in <Tuned>::TENSORS.iter().enumerate() {
        if tensor.name.starts_with("scores.") {
            let (w, dw) = (net.tensor_mut(index), gradient.tensor(index));
            Sgd::default().update(step, tensor.role, w, dw, [&mut [], &mut []]);
        }
    }
}

fn mirror(image: &Image, mirrored: &mut Image) {
    for (row, to) in image.iter().zip(mirrored.iter_mut()) {
        for (pixel, to) in row.iter().rev().zip(to) {
            *to = *pixel;
        }
    }
}
