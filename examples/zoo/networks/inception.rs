//! ImageNet, in 2015: filters of seven by seven as a row and a column.

use convnet::convnet;

/// Modules at 35x35, by the depth of what is behind their pool; at 17x17, by how narrow they are inside; at 8x8.
macro_rules! inception {
    (
        $(#[$doc:meta])* $name:ident:
        { $($wide:ident $pooled:tt),* }
        { $($middle:ident $narrow:tt),* }
        { $($deep:ident),* }
    ) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input(299x299x3),
                conv1: [conv(32, 3x3, stride = 2, bias = none), batch_norm(eps = 1e-3), relu],
                conv2: [conv(32, 3x3, bias = none), batch_norm(eps = 1e-3), relu],
                conv3: [conv(64, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu],
                pool1: max_pool(3x3, stride = 2),
                conv4: [conv(80, 1x1, bias = none), batch_norm(eps = 1e-3), relu],
                conv5: [conv(192, 3x3, bias = none), batch_norm(eps = 1e-3), relu],
                pool2: max_pool(3x3, stride = 2),
                $($wide: concat {
                    [conv(64, 1x1, bias = none), batch_norm(eps = 1e-3), relu],
                    [
                        conv(48, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(64, 5x5, pad = 2, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                    [
                        conv(64, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        [conv(96, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu] * 2,
                    ],
                    [
                        pad(1), avg_pool(3x3, stride = 1),
                        conv($pooled, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                },)*
                mixed6a: concat {
                    [conv(384, 3x3, stride = 2, bias = none), batch_norm(eps = 1e-3), relu],
                    [
                        conv(64, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(96, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(96, 3x3, stride = 2, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                    [max_pool(3x3, stride = 2)],
                },
                $($middle: concat {
                    [conv(192, 1x1, bias = none), batch_norm(eps = 1e-3), relu],
                    [
                        conv($narrow, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv($narrow, 7x1, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(192, 1x7, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                    [
                        conv($narrow, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv($narrow, 1x7, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                        conv($narrow, 7x1, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                        conv($narrow, 1x7, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(192, 7x1, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                    [
                        pad(1), avg_pool(3x3, stride = 1),
                        conv(192, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                },)*
                mixed7a: concat {
                    [
                        conv(192, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(320, 3x3, stride = 2, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                    [
                        conv(192, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(192, 7x1, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(192, 1x7, pad = same, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(192, 3x3, stride = 2, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                    [max_pool(3x3, stride = 2)],
                },
                $($deep: concat {
                    [conv(320, 1x1, bias = none), batch_norm(eps = 1e-3), relu],
                    [
                        conv(384, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        concat {
                            [conv(384, 3x1, pad = same, bias = none), batch_norm(eps = 1e-3), relu],
                            [conv(384, 1x3, pad = same, bias = none), batch_norm(eps = 1e-3), relu],
                        },
                    ],
                    [
                        conv(448, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        conv(384, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu,
                        concat {
                            [conv(384, 3x1, pad = same, bias = none), batch_norm(eps = 1e-3), relu],
                            [conv(384, 1x3, pad = same, bias = none), batch_norm(eps = 1e-3), relu],
                        },
                    ],
                    [
                        pad(1), avg_pool(3x3, stride = 1),
                        conv(192, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                    ],
                },)*
                global_avg_pool,
                dropout(0.5),
                scores: fc(1000),
            }
        }
    };
}

inception! {
    /// Szegedy et al., *Rethinking the Inception Architecture for Computer Vision* (2015), table 1, as torchvision has
    /// it, without the auxiliary classifier; means count the zeros around. 23,834,568 parameters, 5.71 G multiply-adds.
    InceptionV3:
    { mixed5b 32, mixed5c 64, mixed5d 64 }
    { mixed6b 128, mixed6c 160, mixed6d 160, mixed6e 192 }
    { mixed7b, mixed7c }
}
