//! CS231n's POOL has two words here.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        POOL(2x2),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
