//! A filter of 5 does not fit on 3 pixels; the network that resembles it strides as its type says.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(3x3x1),
        conv(4, 5x5, stride = 2),
        fc(3),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = Net::summary();
}
