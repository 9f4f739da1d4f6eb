//! 2·(1 − 1) + 2 − 2·1 = 0.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(1x1x8),
        conv_transpose(4, 2x2, stride = 2, pad = 1),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
