//! Only the height does not fit.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(9x8x1),
        conv(4, 3x3, stride = 2),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
