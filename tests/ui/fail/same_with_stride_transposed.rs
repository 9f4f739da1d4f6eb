//! `pad = same` with a stride, of a conv's way back: what makes the output twice as large.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        conv_transpose(8, 3x3, stride = 2, pad = same),
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
