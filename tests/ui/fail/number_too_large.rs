//! A number that nothing can hold.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        fc(99999999999999999999999),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
