//! A running variance that is no number.
#![deny(warnings)]

use convnet::{convnet, weights};

convnet! {
    struct Net { input(4x4x2), n: batch_norm }
}

weights!(static NET: Net = "../weights/variance_nan.safetensors");

fn main() {
    let mut arena = convnet::Arena::<Net>::ZERO;
    let _ = NET.forward(&convnet::Volume::ZERO, &mut arena);
}
