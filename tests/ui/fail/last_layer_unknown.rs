//! What a network writes whose last layer nobody knows is scores.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(4, 3x3),
        scores: dens_layer(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
