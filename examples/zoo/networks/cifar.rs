//! CIFAR-10, in the examples of two libraries.

use convnet::convnet;

convnet! {
    /// Caffe's `examples/cifar10/cifar10_quick`: its pools round up. 145,578 parameters and
    /// 12,354,176 multiply-adds.
    pub(crate) struct Cifar10Quick {
        input(32x32x3),
        conv1: conv(32, 5x5, pad = 2),
        pool1: max_pool(3x3, stride = 2, fit = pad),
        relu,
        conv2: conv(32, 5x5, pad = 2),
        relu,
        pool2: avg_pool(3x3, stride = 2, fit = pad),
        conv3: conv(64, 5x5, pad = 2),
        relu,
        pool3: avg_pool(3x3, stride = 2, fit = pad),
        ip1: fc(64),
        ip2: fc(10),
    }
}

convnet! {
    /// ConvNetJS's CIFAR-10 demo: 22,466 parameters and 3,920,000 multiply-adds.
    pub(crate) struct ConvNetJs {
        input(32x32x3),
        conv(16, 5x5, pad = 2),
        relu,
        max_pool(2x2),
        conv(20, 5x5, pad = 2),
        relu,
        max_pool(2x2),
        conv(20, 5x5, pad = 2),
        relu,
        max_pool(2x2),
        scores: fc(10),
    }
}
