//! The shortcut is as deep as where it begins.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x3),
        fine: conv(8, 3x3, pad = 1),
        max_pool(2x2),
        residual { conv(12, 1x1), upsample(2x2), shortcut { from = fine } },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
