//! A pyramid of features without the `upsample`.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x3),
        fine: conv(8, 3x3, pad = 1),
        max_pool(2x2),
        conv(8, 3x3, pad = 1),
        residual { conv(12, 1x1), shortcut { from = fine, conv(12, 1x1) } },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
