//! Four factors, where there are three depth slices.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        scale {
            global_avg_pool,
            conv(4, 1x1),
            sigmoid,
        },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
