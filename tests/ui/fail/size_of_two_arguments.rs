//! Arguments as another library orders them.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(4, 3, 3),
        conv(4, 3x3, 1, 1),
        max_pool(2, 2),
        fc(128, 10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
