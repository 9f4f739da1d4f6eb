//! An argument's value stands behind an equals sign.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(4, 3x3, pad: 1),
        max_pool(2x2, stride 2),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
