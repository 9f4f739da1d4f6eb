//! The input of a residual waits in memory, and is named.

use convnet::convnet;

convnet! {
    #[budget(ram = 96 KiB)]
    pub struct Net {
        input(32x32x3),
        stem: conv(8, 3x3, pad = 1),
        residual { conv(16, 1x1), relu, conv(8, 1x1) },
        scores: fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
