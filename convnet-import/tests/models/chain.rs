convnet::convnet! {
    pub struct Chain {
        input(10x9x3),
        affine1: affine,
        conv2d: conv(8, 3x3, stride = 2, pad = (1, 1, 0, 1), bias = none), // 5x5x8
        batch_normalization: batch_norm(eps = 0.001),
        relu6,
        depthwise_conv2d: depthwise(3x3, stride = 2, pad = 1, bias = none), // 3x3x8
        batch_normalization_1: batch_norm(eps = 0.001),
        relu,
        separable_conv2d_depthwise: depthwise(3x3, pad = 1, bias = none),
        separable_conv2d_pointwise: conv(6, 1x1), // 3x3x6
        relu,
        max_pool(2x2, pad = (0, 1)), // 2x2x6
        dense: fc(12), // 1x1x12
        silu,
        batch_normalization_2: batch_norm(eps = 0.001),
        dense_1: fc(5), // 1x1x5
        softmax,
    }
}
