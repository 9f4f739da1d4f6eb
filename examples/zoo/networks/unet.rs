//! Which pixel is what, in 2015: down to small maps and up again, beside what was seen on the way.

use convnet::convnet;

convnet! {
    /// Ronneberger, Fischer and Brox, *U-Net: Convolutional Networks for Biomedical Image Segmentation* (2015),
    /// figure 1, with padding and `batch_norm` as in the PyTorch version that most people use: 31,037,633
    /// parameters for three channels in and one out.
    ///
    /// Each level lies in the one above: its first way hands on what was seen there, its second one goes down,
    /// around and up again.
    pub(crate) struct UNet {
        input(64x64x3),
        conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
        conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
        level1: concat { [], [
            max_pool(2x2),
            conv(128, 3x3, pad = 1, bias = none), batch_norm, relu,
            conv(128, 3x3, pad = 1, bias = none), batch_norm, relu,
            level2: concat { [], [
                max_pool(2x2),
                conv(256, 3x3, pad = 1, bias = none), batch_norm, relu,
                conv(256, 3x3, pad = 1, bias = none), batch_norm, relu,
                level3: concat { [], [
                    max_pool(2x2),
                    conv(512, 3x3, pad = 1, bias = none), batch_norm, relu,
                    conv(512, 3x3, pad = 1, bias = none), batch_norm, relu,
                    level4: concat { [], [
                        max_pool(2x2),
                        conv(1024, 3x3, pad = 1, bias = none), batch_norm, relu,
                        conv(1024, 3x3, pad = 1, bias = none), batch_norm, relu,
                        up: conv_transpose(512, 2x2, stride = 2),
                    ] },
                    conv(512, 3x3, pad = 1, bias = none), batch_norm, relu,
                    conv(512, 3x3, pad = 1, bias = none), batch_norm, relu,
                    up: conv_transpose(256, 2x2, stride = 2),
                ] },
                conv(256, 3x3, pad = 1, bias = none), batch_norm, relu,
                conv(256, 3x3, pad = 1, bias = none), batch_norm, relu,
                up: conv_transpose(128, 2x2, stride = 2),
            ] },
            conv(128, 3x3, pad = 1, bias = none), batch_norm, relu,
            conv(128, 3x3, pad = 1, bias = none), batch_norm, relu,
            up: conv_transpose(64, 2x2, stride = 2),
        ] },
        conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
        conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
        classes: conv(1, 1x1),
    }
}
