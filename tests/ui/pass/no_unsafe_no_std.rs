//! A crate that forbids unsafe code, lints everything and has no std.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use convnet::convnet;

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

fn main() {
    classify(&convnet::Volume::ZERO);
}
