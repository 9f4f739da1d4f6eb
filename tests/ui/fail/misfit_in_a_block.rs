//! What does not fit in a block has its path, and is one mistake.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(9x9x3),
        stage1: [residual { conv(8, 2x2, stride = 2), relu }],
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
