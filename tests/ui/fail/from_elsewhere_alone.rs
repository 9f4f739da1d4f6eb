//! What stands before the block is read by no branch.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x3),
        a: conv(8, 3x3, pad = 1),
        b: relu,
        conv(8, 3x3, pad = 1),
        concat { [from = a], [from = b] },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
