//! What reads the scores of a network whose declaration is wrong is not wrong for that.

use convnet::convnet;

convnet! {
    pub struct Stem {
        input(32x32x3),
        conv(8, 3x3, stride = 2),
    }
}

convnet! {
    #[budget(ram = 4 B)]
    pub struct Net {
        input(32x32x3),
        network(Stem),
        max_pool(3x3, stride = 2),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
