//! PyTorch's depth comes first, here it comes last.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(3x32x32),
        conv1: conv(8, 3x3, pad = 1),
        relu,
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
