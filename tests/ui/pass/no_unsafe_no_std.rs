//! A crate that forbids unsafe code, lints everything and has no std.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::{Sgd, Step};
use convnet::Scores;
use convnet::{Loss, Optimizer, Tape, convnet};

convnet! {
    /// Documented.
    pub struct Net { input(8x8x1), conv(4, 3x3), relu, max_pool(2x2), fc(10) }
}

/// Runs without a heap.
pub fn classify(image: &convnet::Volume<f32, 8, 8, 1>) -> usize {
    static NET: Net = Net::ZERO;
    let mut arena = convnet::Arena::<Net>::ZERO;
    NET.forward(image, &mut arena).best()
}

/// One step of training, in memory that is lent: a `static` behind a lock, say.
pub fn learn(
    net: &mut Net,
    image: &convnet::Volume<f32, 8, 8, 1>,
    label: usize,
    tape: &mut Tape<Net>,
    gradient: &mut Net,
) -> Option<f32> {
    let mut d_scores = Scores::<f32, 10>::ZERO;
    let scores = net.forward_train(image, tape, 0).as_slice();
    let loss = SoftmaxCrossEntropy::default()
        .loss(scores, label, d_scores.as_mut_slice())
        .ok()?;
    convnet::Parameters::fill_zero(gradient);
    net.backward(image, None, tape, &d_scores, gradient);
    let step = Step { rate: 0.1, count: 0 };
    let sgd = Sgd::default();
    sgd.step(step, net, gradient, &mut []).ok()?;
    Some(loss)
}

fn main() {
    let mut image = convnet::Volume::ZERO;
    classify(&image);
    image[3][3][0] = 1.0;
    let (mut net, mut gradient, mut tape) = (Net::ZERO, Net::ZERO, Tape::<Net>::ZERO);
    let mut losses = [0, 1].map(|_| learn(&mut net, &image, 7, &mut tape, &mut gradient));
    losses.reverse();
    assert!(losses[0] < losses[1] && losses[0].is_some(), "the loss falls");
}
