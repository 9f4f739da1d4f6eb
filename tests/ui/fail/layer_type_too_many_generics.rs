//! A type has as many parameters as it has.

use convnet::convnet;

pub struct Shift;

convnet! {
    pub struct Net {
        input(8x8x3),
        shift: layer(Shift<T, 3>, 8x8x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
