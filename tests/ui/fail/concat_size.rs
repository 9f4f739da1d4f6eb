//! A branch without padding beside one that needs none.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(28x28x192),
        inception: concat {
            [conv(64, 1x1), relu],
            [conv(96, 1x1), relu, conv(128, 3x3), relu],
        },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
