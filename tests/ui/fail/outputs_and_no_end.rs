//! What the last lines write would have no name.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x3),
        outputs { boxes: [conv(4, 1x1)], scores: [conv(2, 1x1)] },
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
