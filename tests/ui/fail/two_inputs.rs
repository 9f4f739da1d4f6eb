//! Two inputs.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        input(8x8x1),
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
