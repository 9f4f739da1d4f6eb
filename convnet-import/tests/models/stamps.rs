convnet::convnet! {
    pub struct Stamps {
        input(3x4x3),
        gaps: conv_transpose(6, 3x3, pad = (2, 2, 1, 1), dilation = 1x2), // 3x4x6
        whole: layer_norm_volume(eps = 0.001),
        even: conv_transpose(4, 4x3, stride = 2, pad = (0, 1, 1, 2)), // 5x8x4
        factors: layer_norm_volume(eps = 0.001),
        small: conv_transpose(4, 1x2, stride = 2x3, output_pad = 1), // 10x24x4
        more: conv_transpose(3, 3x2, stride = 2x3, pad = (0, 0, 0, 2), output_pad = 2), // 21x73x3
        least: conv_transpose(4, 2x2, stride = 3, output_pad = 1), // 63x219x4
        relu,
        depth: layer_norm(eps = 0.001),
        narrow: conv(4, 7x7, stride = 21, fit = crop), // 3x11x4
        scores: fc(5), // 1x1x5
        softmax,
    }
}
