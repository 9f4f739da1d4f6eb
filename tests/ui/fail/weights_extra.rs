//! A weight file with a tensor that the network has not.
#![deny(warnings)]

use convnet::{convnet, weights};

convnet! {
    struct Net { input(4x4x1), conv1: conv(2, 3x3), scores: fc(3) }
}

weights!(static NET: Net = "../weights/extra.safetensors");

fn main() {
    let mut arena = convnet::Arena::<Net>::ZERO;
    let _ = NET.forward(&convnet::Volume::ZERO, &mut arena);
}
