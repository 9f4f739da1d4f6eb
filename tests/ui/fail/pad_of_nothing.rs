//! Zeros, and how many is not said.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        pad,
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
