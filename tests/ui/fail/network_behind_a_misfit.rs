//! A layer that does not fit before it is one error, though nobody knows then what the network inside would read.

use convnet::convnet;

convnet! {
    pub struct Block { input(16x16x12), conv(12, 3x3, pad = 1), relu }
}

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(12, 3x3, pad = 1),
        max_pool(2x2, stride = 3),
        block: network(Block),
        scores: fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
