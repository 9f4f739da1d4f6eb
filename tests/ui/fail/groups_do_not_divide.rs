//! Each group sees an equal part of the depth.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x8),
        conv1: conv(12, 3x3, pad = 1, groups = 3),
        relu,
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
