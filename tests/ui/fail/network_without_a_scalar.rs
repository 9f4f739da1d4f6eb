//! A network inside another is generic over its scalar, as every one is that `convnet!` declares: a struct
//! without one is told so, and nothing else.

use convnet::convnet;

pub struct Block;

convnet! {
    pub struct Net {
        input(16x16x12),
        block: network(Block),
        scores: fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
