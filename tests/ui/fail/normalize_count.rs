//! As many means and deviations as the volume is deep, or one.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        normalize(mean = [0.5, 0.5], std = 0.25),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
