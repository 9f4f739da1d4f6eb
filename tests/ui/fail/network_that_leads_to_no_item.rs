//! `crate` alone is a path, and leads to nothing that is a network.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x12),
        block: network(crate),
        scores: fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
