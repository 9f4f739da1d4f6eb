//! The same rule, where groups are the name of a `const`.

use convnet::convnet;

const GROUPS: usize = 3;

convnet! {
    pub struct Net {
        input(16x16x8),
        conv1: conv(12, 3x3, pad = 1, groups = GROUPS),
        relu,
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
