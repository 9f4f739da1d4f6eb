//! How often is said by a star, behind brackets.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        [relu] x 2,
        (relu) * 2,
        for i in 0..3 { relu },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
