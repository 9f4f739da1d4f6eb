//! Layers are counted before they are written out.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(16x16x2),
        [[conv(2, 1x1), relu] * 256] * 16,
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
