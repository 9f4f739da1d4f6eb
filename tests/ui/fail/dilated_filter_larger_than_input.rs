//! A filter with gaps covers D·(F − 1) + 1.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        conv1: conv(4, 5x5, dilation = 2),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
