//! No filter of 1x1 makes 32x32 to 28x28.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x16),
        residual { [conv(16, 3x3), relu] * 2 },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
