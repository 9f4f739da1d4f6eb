//! A block's name stands before it.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        residual block1 { conv(3, 3x3, pad = 1) },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
