//! Lesson 3, backward: is the gradient right? The loss itself can tell.
//!
//! `cargo run --example gradient_check`
//!
//! Every parameter is moved a little, up and down; how much the loss changes is the slope, and
//! backward must say the same (CS231n, *Gradient checks*). That is done in `f64`: in `f32` the
//! difference of two losses is mostly rounding.
#![forbid(unsafe_code)]

use std::error::Error;

use convnet::convnet;
use convnet::gradient_check::{GradientCheck, slope};
use convnet::loss::{Hinge, SoftmaxCrossEntropy};
use convnet::{OnHeap, Rng, Volume};

convnet! {
    /// Small enough to check every number of it.
    pub struct Tiny {
        input(8x8x2),
        conv1: conv(4, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(6, 3x3),
        tanh,
        scores: fc(5),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // One number first: the slope of x² at 3 is 6, and 6.1 is wrong.
    let square = |h: f64| (3.0 + h).powi(2);
    println!("6   is wrong by {:.0e}", slope(6.0, square).error);
    println!("6.1 is wrong by {:.0e}\n", slope(6.1, square).error);

    // The same for a network, in f64: its scalar is a parameter of its type.
    let net = &mut *Tiny::<f64>::random(231);
    let mut rng = Rng::new(7);
    let image = &mut *Volume::boxed();
    image.as_mut_slice().fill_with(|| rng.normal());
    let label = 3;

    let check = GradientCheck::default();
    let softmax = check.run(net, image, label, &SoftmaxCrossEntropy::default())?;
    println!("softmax: {softmax}");
    let hinge = check.run(net, image, label, &Hinge::default())?;
    println!("hinge:   {hinge}");

    // Below 1e-7 is right, above 1e-2 is wrong (CS231n). A gradient that is summed in another order
    // is off by some 1e-10.
    for report in [softmax, hinge] {
        if report.error > 1e-6 {
            return Err(format!("backward is wrong: {report}").into());
        }
    }
    println!("backward is right: every number within 1e-6");
    Ok(())
}
