//! A value that is no layer is told so once, though the passes read and write other volumes.

use convnet::convnet;

const SHIFT: u32 = 3;

convnet! {
    pub struct Net {
        input(32x32x3),
        [conv(4, 3x3, pad = 1), layer(SHIFT, 32x32x4), max_pool(2x2)] * 2,
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
