//! CS231n's own example: (224 − 11 + 2·0)/4 + 1 is not an integer.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(224x224x3),
        conv1: conv(96, 11x11, stride = 4),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
