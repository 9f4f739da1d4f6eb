//! Where nothing fits each time, what fits once is said to.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        [max_pool(2x2), conv(8, 6x6, stride = 4)] * 3,
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
