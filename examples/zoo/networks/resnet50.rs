//! ImageNet, in 2015, deeper: what is added is made of fewer slices.

use convnet::convnet;

/// For each stage how deep its blocks are inside, and what they write; how far the first one steps, and how many
/// follow it.
macro_rules! bottlenecks {
    ($(#[$doc:meta])* $name:ident: $({ $stage:ident $inside:tt $deep:tt $stride:tt $more:tt })*) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input(224x224x3),
                stem: [
                    conv(64, 7x7, stride = 2, pad = 3, fit = crop, bias = none),
                    batch_norm,
                    relu,
                    max_pool(3x3, stride = 2, pad = 1, fit = crop),
                ],
                $($stage: [
                    residual {
                        conv($inside, 1x1, bias = none), batch_norm, relu,
                        conv($inside, 3x3, stride = $stride, pad = 1, fit = crop, bias = none), batch_norm, relu,
                        conv($deep, 1x1, bias = none), batch_norm,
                        shortcut { conv($deep, 1x1, stride = $stride, fit = crop, bias = none), batch_norm },
                    },
                    relu,
                    [
                        residual {
                            conv($inside, 1x1, bias = none), batch_norm, relu,
                            conv($inside, 3x3, pad = 1, bias = none), batch_norm, relu,
                            conv($deep, 1x1, bias = none), batch_norm,
                        },
                        relu,
                    ] * $more,
                ],)*
                global_avg_pool,
                scores: fc(1000),
            }
        }
    };
}

bottlenecks! {
    /// He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition* (2015), table 1, the column of 50
    /// layers, as torchvision has it (the 3x3 steps): 25,557,032 parameters, 4.09 G multiply-adds.
    ResNet50:
    { layer1 64 256 1 2 } { layer2 128 512 2 3 } { layer3 256 1024 2 5 } { layer4 512 2048 2 2 }
}
