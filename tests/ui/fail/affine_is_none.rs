//! `none` is the only thing to say of factors and summands; a momentum is a share.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(8x8x1),
        batch_norm(affine = 0),
        batch_norm(affine = false),
        batch_norm(affine = "none"),
        batch_norm(momentum = 0.0),
        batch_norm(momentum = 1.5),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
