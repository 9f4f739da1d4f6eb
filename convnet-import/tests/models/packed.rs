convnet::convnet! {
    pub struct Packed {
        input(8x8x3),
        affine1: affine,
        stem: conv(16, 3x3, pad = 1), // 8x8x16
        relu,
        residual {
            residual {
                wide: conv(16, 3x3, pad = 1),
                shortcut {
                    narrow: conv(16, 1x1),
                },
            },
        },
        affine2: affine,
        global_avg_pool, // 1x1x16
        scores: fc(5), // 1x1x5
        softmax,
    }
}
