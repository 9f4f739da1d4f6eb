//! The arena of a network inside counts while it works.

use convnet::convnet;

convnet! {
    pub struct Block { input(16x16x4), conv(12, 3x3, pad = 1), relu, conv(4, 1x1) }
}

convnet! {
    #[budget(ram = 16 KiB)]
    pub struct Net { input(16x16x1), conv(4, 3x3, pad = 1), block: network(Block), fc(10) }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
