//! More flash than the budget has.

use convnet::convnet;

convnet! {
    #[budget(flash = 32 KiB)]
    pub struct Net {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
