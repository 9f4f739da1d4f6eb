//! What a layer written by hand writes must be said.

use convnet::convnet;

pub struct Swap;

convnet! {
    pub struct Net {
        input(8x8x3),
        layer(Swap),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
