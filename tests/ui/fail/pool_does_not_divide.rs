//! A pool that leaves a column and a row.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(7x7x1),
        max_pool(2x2, stride = 2),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
