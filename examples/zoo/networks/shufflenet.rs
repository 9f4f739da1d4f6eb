//! ImageNet, in 2018: half of the slices pass by, and are shuffled under the others.

use convnet::convnet;

/// A unit that halves height and width and reads everything on both ways, then units that read one half.
macro_rules! shufflenet {
    ($(#[$doc:meta])* $name:ident: $({ $stage:ident $half:tt $more:tt })* then $last:tt) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input(224x224x3),
                conv1: conv(24, 3x3, stride = 2, pad = 1, fit = crop, bias = none),
                batch_norm,
                relu,
                max_pool(3x3, stride = 2, pad = 1, fit = crop),
                $(
                    concat {
                        [
                            depthwise(3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm,
                            conv($half, 1x1, bias = none), batch_norm, relu,
                        ],
                        [
                            conv($half, 1x1, bias = none), batch_norm, relu,
                            depthwise(3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm,
                            conv($half, 1x1, bias = none), batch_norm, relu,
                        ],
                    },
                    channel_shuffle(2),
                    $stage: [
                        concat {
                            [slices($half)],
                            [
                                slices($half, from = $half),
                                conv($half, 1x1, bias = none), batch_norm, relu,
                                depthwise(3x3, pad = 1, bias = none), batch_norm,
                                conv($half, 1x1, bias = none), batch_norm, relu,
                            ],
                        },
                        channel_shuffle(2),
                    ] * $more,
                )*
                conv5: conv($last, 1x1, bias = none),
                batch_norm,
                relu,
                global_avg_pool,
                scores: fc(1000),
            }
        }
    };
}

shufflenet! {
    /// Ma, Zhang, Zheng and Sun, *ShuffleNet V2* (2018), table 5, 1x, as torchvision has it: 2,278,604 parameters,
    /// 0.15 G multiply-adds.
    ShuffleNetV2: { stage2 58 3 } { stage3 116 7 } { stage4 232 3 } then 1024
}
