//! A number that nothing can hold.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        fc(99999999999999999999999),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
