convnet::convnet! {
    pub struct Everything {
        input(12x12x4),
        stem: conv(8, 3x3, stride = 2, pad = (0, 1)), // 6x6x8
        relu6,
        residual {
            apart: depthwise(3x3, pad = 2, dilation = 2),
            relu,
            together: conv(8, 1x1),
        },
        clamp(-1.0, 1.0),
        hard_swish,
        scale {
            global_avg_pool, // 1x1x8
            squeeze: fc(4), // 1x1x4
            relu,
            excite: conv(8, 1x1), // 1x1x8
            sigmoid,
        },
        concat {
            [
                max_pool(3x3, stride = 1, pad = 1),
            ],
            [
                avg_pool(3x3, stride = 1, pad = 1),
                way: conv(4, 1x1), // 6x6x4
                tanh,
            ],
        }, // 6x6x12
        down: conv(6, 3x3, stride = 2, pad = (1, 0, 2, 1)), // 4x3x6
        leaky_relu(0.25),
        upsample(2x2), // 8x6x6
        up: conv_transpose(5, 3x3, stride = 2, pad = (0, 1)), // 16x12x5
        elu,
        last: conv(3, 3x3, stride = 3, pad = (0, 0, 1, 1)), // 6x4x3
        gelu,
        scores: fc(10, bias = none), // 1x1x10
        softmax,
    }
}
