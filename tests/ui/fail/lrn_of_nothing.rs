//! A slice sees itself at least; and a factor is above 0.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x4),
        lrn(0),
        lrn(5, beta = 0.0),
        batch_norm(eps = 1),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
