convnet::convnet! {
    pub struct Keras2 {
        input(9x9x3),
        block_conv: conv(6, 3x3, stride = 2, pad = 1), // 5x5x6
        block_bn: batch_norm(eps = 0.001),
        relu6,
        residual {
            dw: depthwise(3x3, pad = 1),
        },
        hard_swish,
        concat {
            [],
            [
                inside: conv(4, 1x1), // 5x5x4
                silu,
                leaky_relu(0.2),
            ],
        }, // 5x5x10
        sep_depthwise: depthwise(3x3, bias = none), // 3x3x10
        sep_pointwise: conv(5, 1x1), // 3x3x5
        global_avg_pool, // 1x1x5
        scores: fc(4), // 1x1x4
        softmax,
    }
}
