//! The name of a const, whose value a macro cannot see.

use convnet::convnet;

const FILTERS: usize = 12;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(FILTERS, 5x5),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
