//! A filter larger than the padded input.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(4x4x1),
        conv(1, 7x7, pad = 1),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
