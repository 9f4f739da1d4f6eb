//! A block without layers.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        scale {},
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
