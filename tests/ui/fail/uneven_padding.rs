//! (8 − 4 + 0 + 1)/3 + 1 is not an integer.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        conv(4, 4x4, stride = 3, pad = (0, 1)),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
