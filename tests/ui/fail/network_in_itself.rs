//! A network that holds itself has no end.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(3, 3x3, pad = 1),
        network(Net),
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
