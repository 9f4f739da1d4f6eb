//! A mistake in a repetition is one, however often it is repeated: here are two.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(9x1x1),
        [[conv(filters filters = 2 2, size = 3x1), sigmoid] * 256] * 2,
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
