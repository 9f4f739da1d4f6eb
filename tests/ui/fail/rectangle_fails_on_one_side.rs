//! Only the height does not fit.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(9x8x1),
        conv(4, 3x3, stride = 2),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
