//! A size by the name of a const is checked by the compiler, with the same words and numbers.

use convnet::convnet;

const F: usize = 11;

convnet! {
    pub struct Net {
        input(224x224x3),
        conv1: conv(96, F x F, stride = 4),
        relu,
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = Net::<f32>::ZERO.conv1.bias;
}
