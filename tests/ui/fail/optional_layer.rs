//! CS231n's POOL?, which is notation and no layer.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        max_pool(2x2)?,
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
