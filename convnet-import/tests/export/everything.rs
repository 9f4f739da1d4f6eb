convnet::convnet! {
    pub struct Everything {
        input(23x21x3),
        normalize(mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]),
        stem: conv(8, 3x5, stride = 2, pad = (1, 0, 2, 1), fit = crop, bias = none), // 12x9x8
        norm: batch_norm(eps = 0.001),
        relu6,
        depthwise(3x3, pad = 1),
        hard_swish,
        conv(8, 1x1),
        silu,
        conv(8, 1x1),
        gelu,
        conv(8, 1x1),
        gelu_tanh,
        conv(8, 1x1),
        elu(0.5),
        conv(8, 1x1),
        softplus,
        conv(8, 1x1),
        clamp(-0.5, 2.5),
        conv(8, 3x3, pad = 2, groups = 4, dilation = 2),
        leaky_relu(0.2),
        scale {
            global_avg_pool, // 1x1x8
            conv(2, 1x1), // 1x1x2
            relu,
            conv(8, 1x1), // 1x1x8
            hard_sigmoid,
        },
        channel_shuffle(4),
        lrn(5, alpha = 0.1, beta = 0.5, k = 2.0),
        small: max_pool(3x3, stride = 2, fit = pad), // 6x4x8
        gate: scale {
            tanh,
        },
        upsample(2x3), // 12x12x8
        max_pool(2x3), // 6x4x8
        affine,
        space_to_depth(2x2), // 3x2x32
        group_norm(4, eps = 0.001),
        depth_to_space(2x2), // 6x4x8
        layer_norm,
        batch_norm(momentum = 0.02, affine = none),
        layer_norm_volume(eps = 0.001),
        crop((1, 0, 0, 2)), // 4x3x8
        group_norm(8),
        pad((1, 0, 0, 2)), // 6x4x8
        upsample_bilinear(2x2), // 12x8x8
        prelu,
        pad((0, 1, 1, 0)), // 13x9x8
        avg_pool(2x2, stride = 1), // 12x8x8
        upsample_aligned(1x2), // 12x16x8
        concat {
            [
                slices(2, from = 4), // 12x16x2
            ],
            [
                slices(6), // 12x16x6
                prelu,
            ],
        }, // 12x16x8
        max_pool(2x4), // 6x4x8
        residual {
            conv(12, 1x1), // 6x4x12
            shortcut {
                pad_depth(12), // 6x4x12
            },
        },
        conv(8, 1x1), // 6x4x8
        stage: [
            residual {
                conv(8, 3x3, pad = 1),
                tanh,
                residual {
                    conv(8, 1x1),
                    sigmoid,
                },
            },
            relu,
        ] * 2,
        network1: [
            conv(8, 3x3, pad = 1),
            norm: batch_norm,
            relu,
        ],
        concat {
            [
                conv(4, 1x1), // 6x4x4
                relu,
            ],
            [],
            [
                avg_pool(3x3, stride = 1, pad = 1),
                concat {
                    [
                        conv(2, 1x1), // 6x4x2
                    ],
                    [
                        conv(3, 1x1), // 6x4x3
                        hard_sigmoid,
                    ],
                }, // 6x4x5
            ],
        }, // 6x4x17
        residual {
            conv(6, 2x2, stride = 2), // 3x2x6
            relu,
            shortcut {
                max_pool(2x2), // 3x2x17
                conv(6, 1x1, bias = none), // 3x2x6
                batch_norm,
            },
        },
        conv_transpose(5, 3x2, stride = 2, pad = (1, 0)), // 6x3x5
        conv(5, 3x2, stride = 2, pad = (0, 1)), // 3x2x5
        avg_pool(2x2, pad = (0, 1), fit = crop), // 2x1x5
        fc(7), // 1x1x7
        relu,
        between: residual {
            fc(7),
            batch_norm,
            sigmoid,
        },
        concat {
            [
                fc(3, bias = none), // 1x1x3
            ],
            [
                fc(2), // 1x1x2
                layer_norm(eps = 0.000001),
                tanh,
            ],
        }, // 1x1x5
        conv(6, 1x1), // 1x1x6
        global_avg_pool,
        scores: fc(4), // 1x1x4
        log_softmax,
    }
}
