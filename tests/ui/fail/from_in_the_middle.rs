//! What stands first, where a way begins.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x3),
        stem: conv(8, 3x3, pad = 1),
        concat { [], [relu, from = stem] },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
