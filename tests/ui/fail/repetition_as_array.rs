//! A repetition is no array.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        [conv(4, 3x3), relu; 2],
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
