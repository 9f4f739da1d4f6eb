convnet::convnet! {
    pub struct Custom {
        input(10x8x3),
        stem: conv(8, 3x3, stride = 2, pad = 1, fit = crop), // 5x4x8
        layer(layers::MISH, 5x4x8),
        layer(layers::ABS, 5x4x8),
        bend: layer(layers::Power<T, 8>, 5x4x8),
        global_avg_pool, // 1x1x8
        scores: fc(5), // 1x1x5
    }
}
