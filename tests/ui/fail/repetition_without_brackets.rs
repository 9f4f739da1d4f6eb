//! What is repeated stands in brackets, and how often behind them.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        conv(4, 3x3) * 2,
        2 * [relu],
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
