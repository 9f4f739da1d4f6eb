//! An int8 file puts a network into a `static`.
#![deny(warnings)]

use convnet::{convnet, int8, int8_weights};

convnet! {
    struct Net { input(4x4x1), conv1: conv(2, 3x3), scores: fc(3) }
}
int8!(Net);

int8_weights!(static NET: Net = "../weights/int8.safetensors");

fn main() {
    let mut arena = convnet::int8::Int8::<Net>::arena();
    let _ = NET.forward(&convnet::Volume::ZERO, &mut arena);
}
