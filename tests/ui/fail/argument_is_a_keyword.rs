//! An argument that is called by a word of Rust's is one that there is not.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        conv(4, 3x3, type = same),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
