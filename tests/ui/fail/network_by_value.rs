//! A network takes over the scalar.

use convnet::convnet;

convnet! {
    pub struct Block { input(16x16x12), conv(12, 3x3, pad = 1), relu }
}

convnet! {
    pub struct Net {
        input(16x16x12),
        block: network(Block<T>),
        scores: fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
