//! A volume alone is beside nothing.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        concat { [conv(8, 3x3, pad = 1), relu] },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
