//! The block halves the volume, as ResNet's second stage does.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(56x56x64),
        block1: residual {
            conv(128, 3x3, stride = 2, pad = 1, fit = crop),
            relu,
            conv(128, 3x3, pad = 1),
        },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
