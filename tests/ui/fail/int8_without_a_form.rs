//! A layer that has no int8 form.
#![deny(warnings)]

use convnet::{convnet, int8};

convnet! {
    struct Net { input(4x4x8), conv(8, 3x3, pad = 1), relu, norm: lrn(5), scores: fc(3) }
}
int8!(Net);

fn main() {}
