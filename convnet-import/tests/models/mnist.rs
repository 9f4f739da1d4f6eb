convnet::convnet! {
    pub struct Mnist {
        input(28x28x1),
        convolution28: conv(8, 5x5, pad = 2), // 28x28x8
        relu,
        max_pool(2x2), // 14x14x8
        convolution110: conv(16, 5x5, pad = 2), // 14x14x16
        relu,
        max_pool(3x3, fit = crop), // 4x4x16
        fc1: fc(10), // 1x1x10
    }
}
