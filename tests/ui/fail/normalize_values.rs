//! A list of numbers in square brackets, or one; a deviation is above 0.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x2),
        normalize(mean = [0.5, 0.5], std = [0.25, 0.0]),
        normalize(mean = [], std = 0.25),
        normalize(mean = 0.5, std = -0.25),
        normalize(mean = "imagenet", std = [0.25, x]),
        normalize(mean = 0.5),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
