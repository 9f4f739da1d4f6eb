//! A network inside has its word.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        stem: Stem,
        conv(4, 3x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
