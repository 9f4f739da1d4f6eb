//! The shortcut has too few filters.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(56x56x64),
        residual {
            conv(128, 3x3, stride = 2, pad = 1, fit = crop),
            relu,
            shortcut { conv(64, 1x1, stride = 2, fit = crop) },
        },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
