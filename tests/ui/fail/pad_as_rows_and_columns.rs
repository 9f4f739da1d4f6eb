//! Two numbers are before and after; PyTorch's are rows and columns.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(8, 7x1, pad = (0, 3)),
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
