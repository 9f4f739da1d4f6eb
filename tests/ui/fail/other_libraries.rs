//! Words that other libraries have.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        Conv2D(32, 3x3),
        mish,
        MaxPooling2D(2x2),
        nn.Linear(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
