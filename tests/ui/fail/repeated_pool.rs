//! In a repetition a repair fits each time: a padding that is right once is not offered.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        [conv(8, 3x3, pad = 1), relu, max_pool(2x2, stride = 2)] * 6,
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
