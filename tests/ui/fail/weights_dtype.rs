//! A weight file in half precision.
#![deny(warnings)]

use convnet::{convnet, weights};

convnet! {
    struct Net { input(4x4x1), conv1: conv(2, 3x3), scores: fc(3) }
}

weights!(static NET: Net = "../weights/dtype.safetensors");

fn main() {
    let mut arena = convnet::Arena::<Net>::ZERO;
    let _ = NET.forward(&convnet::Volume::ZERO, &mut arena);
}
