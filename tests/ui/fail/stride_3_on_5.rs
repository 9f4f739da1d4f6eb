//! (5 − 3 + 2·1)/3 + 1 is not an integer.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(5x5x1),
        conv(1, 3x3, stride = 3, pad = 1),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
