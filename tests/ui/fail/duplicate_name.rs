//! Two layers of one name.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        a: conv(4, 3x3),
        a: fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
