//! Ways that do not meet, by the name of a const: the compiler finds it, on the block's word.

use convnet::convnet;

const FILTERS: usize = 32;

convnet! {
    pub struct Net {
        input(32x32x16),
        block1: residual { conv(FILTERS, 3x3, pad = 1), relu },
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = Net::<f32>::ZERO.block1_conv1.bias;
}
