//! `none` is the only thing to say of a bias.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        conv1: conv(4, 3x3, bias = 0),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
