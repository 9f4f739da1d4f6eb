//! Layers are separated by commas, and by nothing else; that is said once.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3);
        conv(4, 3x3);
        relu;
        fc(10);
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
