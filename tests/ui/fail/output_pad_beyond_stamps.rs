//! A conv of stride 2 drops one row at most.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(4x4x8),
        conv_transpose(4, 2x2, stride = 2, output_pad = 2),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
