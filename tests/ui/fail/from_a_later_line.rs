//! A way begins at an earlier line: not behind it, and not in the block that it is a part of.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x3),
        concat { [], [from = head] },
        block: residual { conv(6, 3x3, pad = 1), shortcut { from = block } },
        head: conv(8, 3x3, pad = 1),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
