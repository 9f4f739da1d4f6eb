//! No line has that name, but one has nearly that.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x3),
        stem: conv(8, 3x3, pad = 1),
        relu,
        residual { conv(8, 3x3, pad = 1), shortcut { from = sten } },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
