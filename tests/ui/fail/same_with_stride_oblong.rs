//! `pad = same` with a stride, of a filter that is no square.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(8, 7x1, stride = 2, pad = same),
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
