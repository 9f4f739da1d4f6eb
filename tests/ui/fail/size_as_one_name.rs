//! `FxF` is one name to Rust, `F x F` are two.

use convnet::convnet;

const F: usize = 3;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(4, FxF),
        relu,
        max_pool(2xF, stride = SxS),
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
