//! A network has no generics of its own.

use convnet::convnet;

convnet! {
    pub struct Net<const CLASSES: usize> {
        input(32x32x3),
        fc(CLASSES),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
