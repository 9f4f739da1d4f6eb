//! Layers without an input.

use convnet::convnet;

convnet! {
    pub struct Net {
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
