//! The network, which the page (`web`) has too.

use convnet::convnet;

convnet! {
    /// CS231n's pattern [[CONV -> RELU]*2 -> POOL]*3 -> FC, ten filters a conv, on CIFAR-10.
    pub struct TinyVgg {
        input(32x32x3),
        [[conv(10, 3x3, pad = 1), relu] * 2, max_pool(2x2, stride = 2)] * 3,
        scores: fc(10),
    }
}
