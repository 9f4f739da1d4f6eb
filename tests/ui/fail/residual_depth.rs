//! The block makes the volume deeper than its input.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x16),
        residual {
            conv(32, 3x3, pad = 1),
            relu,
            conv(32, 3x3, pad = 1),
        },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
