//! Truth, text and negative numbers are values of nothing.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(4, 3x3, bias = false),
        max_pool(2x2, ceil_mode = true),
        conv(4, 3x3, pad = -1),
        conv(4, 3x3, pad = "same"),
        leaky_relu(-0.1),
        fc(-1),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
