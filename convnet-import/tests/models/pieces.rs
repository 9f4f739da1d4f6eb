convnet::convnet! {
    pub struct Pieces {
        input(8x8x4),
        concat {
            [
                space_to_depth(2x2), // 4x4x16
                concat {
                    [
                        slices(8, from = 8), // 4x4x8
                        clamp(0.0, 1.0),
                    ],
                    [
                        slices(8), // 4x4x8
                        net: prelu,
                    ],
                }, // 4x4x16
                slices(10, from = 4), // 4x4x10
                slices(8, from = 1), // 4x4x8
                net_sparse: conv(8, 1x1),
                depth_to_space(2x2), // 8x8x2
                lrn(3, alpha = 1.5),
            ],
            [
                crop((1, 0, 0, 2)), // 6x7x4
                slices(2, from = 2), // 6x7x2
                upsample_bilinear(2x2), // 12x14x2
                crop((3, 3, 2, 2)), // 8x8x2
            ],
        }, // 8x8x4
        affine1: affine,
        global_max_pool, // 1x1x4
        log_softmax,
    }
}
