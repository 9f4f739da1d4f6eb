//! An argument left out.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        conv(4),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
