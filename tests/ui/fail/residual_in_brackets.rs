//! Arguments stand in brackets, the layers of a block in braces.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        residual(conv(8, 3x3, pad = 1)),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
