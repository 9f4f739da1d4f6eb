//! A block without branches.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        concat {},
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
