//! The macro computes no sizes.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        fc(2 * CLASSES),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
