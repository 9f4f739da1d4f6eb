//! A size by the name of a const that is no `usize` is one error, wherever else it stands.

use convnet::convnet;

const N: i32 = 3;

convnet! {
    pub struct Net {
        input(8x8xN),
        [conv(N, N x N, pad = 1), relu] * 2,
        conv(N, 3x3, pad = (N, N)),
        fc(N),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
