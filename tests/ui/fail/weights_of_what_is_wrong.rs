//! Weights are not compared with a network whose declaration is wrong.

use convnet::{convnet, weights};

convnet! {
    pub struct Net {
        input(8x8x1),
        convv(8, 3x3),
        fc(10),
    }
}

weights! {
    static NET: Net = "../../../examples/data/digits.safetensors";
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
