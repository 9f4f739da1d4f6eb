convnet::convnet! {
    pub struct Graph {
        input(12x12x4),
        affine1: affine,
        stem: conv(8, 3x3, stride = 2, pad = (0, 1, 1, 2)), // 7x6x8
        leaky_relu(0.2),
        residual {
            block1_conv: conv(8, 1x3, pad = (1, 1, 0, 0), groups = 2),
            block1_norm: batch_norm(eps = 0.001),
            p_re_lu: prelu,
            shortcut {
                short: conv(8, 1x1),
            },
        },
        hard_swish,
        scale {
            global_avg_pool, // 1x1x8
            squeeze: conv(4, 1x1), // 1x1x4
            relu,
            excite: conv(8, 1x1), // 1x1x8
            hard_sigmoid,
        },
        residual {
            group_normalization: group_norm(4, eps = 0.001),
            conv2d_1: conv(8, 3x3, pad = 2, dilation = 2),
            group_normalization_2: group_norm(4, eps = 0.001),
            conv2d_1_2: conv(8, 3x3, pad = 2, dilation = 2),
        },
        concat {
            [
                max_pool(3x3, stride = 1, pad = 1),
            ],
            [
                avg_pool(2x3, stride = 1, pad = (1, 1, 0, 1)),
                way: conv(4, 1x1), // 7x6x4
                elu(0.5),
            ],
        }, // 7x6x12
        layer_norm: layer_norm(eps = 0.001),
        upsample(2x2), // 14x12x12
        crop((1, 0, 2, 1)), // 11x11x12
        multiplied: conv(24, 2x2, groups = 12), // 10x10x24
        tanh,
        up: conv_transpose(6, 3x3, stride = 2, pad = (0, 1)), // 20x20x6
        leaky_relu(0.1),
        upsample_bilinear(2x1), // 40x20x6
        wide: conv_transpose(4, 2x2), // 41x21x4
        gelu,
        narrow: conv(6, 5x5, stride = 4, pad = 2), // 11x6x6
        softplus,
        leaky_relu(0.2),
        hard_swish,
        scores: fc(7), // 1x1x7
        elu,
        softmax,
    }
}
