//! A network inside another is one, and generic over its scalar: a struct that is neither is told both
//! once.

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
    // No third error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
