//! Layers without an input.

use convnet::convnet;

convnet! {
    pub struct Net {
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
