//! A layer with parameters is generic over its scalar: a struct without one is told so, and nothing else.

use convnet::convnet;

pub struct Shift;

convnet! {
    pub struct Net {
        input(8x8x3),
        shift: layer(Shift<T>, 8x8x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
