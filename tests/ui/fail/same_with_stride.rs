//! pad = same keeps the size; a stride of 2 does not.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        conv(4, 3x3, stride = 2, pad = same),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
