//! Two layers whose fields would have the same name.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        block1_conv1: conv(8, 1x1),
        block1: residual { conv1: conv(8, 1x1) },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
