//! A budget is a number and a unit.

use convnet::convnet;

convnet! {
    #[budget(ram = "64 KiB")]
    pub struct Net {
        input(32x32x3),
        conv(4, 3x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
