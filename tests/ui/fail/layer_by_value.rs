//! A layer written by hand is named by its path.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        layer(3, 8x8x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
