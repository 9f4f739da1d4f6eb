//! A size is written with the letter x.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32*32*3),
        conv(4, 3x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
