//! pad = same keeps the size; a stride of 2 does not.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        conv(4, 3x3, stride = 2, pad = same),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
