//! A filter larger than the padded input.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(4x4x1),
        conv(1, 7x7, pad = 1),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
