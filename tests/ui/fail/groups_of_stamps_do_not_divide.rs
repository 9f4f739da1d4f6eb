//! Each group of the depth stamps an equal part of the filters.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(4x4x8),
        conv_transpose(6, 2x2, stride = 2, groups = 4),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
