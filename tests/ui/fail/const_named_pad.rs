//! The same rule, where the padding is the name of a `const`.

use convnet::convnet;

const PAD: usize = 2;

convnet! {
    pub struct Net {
        input(16x16x8),
        pool1: max_pool(2x2, pad = PAD),
        relu,
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
