//! (10 − 3 + 2·0)/2 + 1 = 4.5.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(10x10x1),
        conv(1, 3x3, stride = 2),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
