//! A type that is no layer is one error, where a network is used in another module too, if that takes all
//! that there is beside it.

mod layers {
    pub struct Shift<T>(pub T);
}

mod net {
    use super::layers::Shift;
    use convnet::convnet;

    convnet! {
        pub struct Net {
            input(8x8x3),
            shift: layer(Shift<T>, 8x8x3),
            fc(10),
        }
    }
}

use net::*;

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
