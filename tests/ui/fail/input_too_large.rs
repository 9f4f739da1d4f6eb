//! An image that no memory holds is the input's mistake.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(4000000000x4000000000x3),
        conv(4, 3x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
