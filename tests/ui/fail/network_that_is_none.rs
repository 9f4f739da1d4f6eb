//! A network inside another is one, and its path is known.

use convnet::convnet;

pub struct Block<T>(T);

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
