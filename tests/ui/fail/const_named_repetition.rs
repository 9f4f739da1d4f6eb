//! In a repetition a repair fits each time, with sizes by name too; and a stride that is not written
//! follows the filter.

use convnet::convnet;

const F: usize = 3;

convnet! {
    pub struct Net {
        input(36x36x3),
        [conv(8, F x F, pad = 1), relu, max_pool(2x2)] * 4,
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
