//! Where no stride is written it follows the filter: one of 4 would step by 4.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(7x7x3),
        max_pool(3x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
