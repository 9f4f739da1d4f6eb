//! ImageNet, in 2015: layers learn what to add to their input.

use convnet::convnet;

/// How many blocks the first stage has; then for each stage its depth, and how many blocks follow the
/// first, which halves the sides.
macro_rules! resnet {
    ($(#[$doc:meta])* $name:ident: $input:tt, $blocks:tt $({ $stage:ident $depth:tt $more:tt })*) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input($input),
                stem: [
                    conv(64, 7x7, stride = 2, pad = 3, fit = crop, bias = none),
                    batch_norm,
                    relu,
                    max_pool(3x3, stride = 2, pad = 1, fit = crop),
                ],
                layer1: [
                    residual {
                        conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
                        conv(64, 3x3, pad = 1, bias = none), batch_norm,
                    },
                    relu,
                ] * $blocks,
                $($stage: [
                    residual {
                        conv($depth, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu,
                        conv($depth, 3x3, pad = 1, bias = none), batch_norm,
                        shortcut { conv($depth, 1x1, stride = 2, fit = crop, bias = none), batch_norm },
                    },
                    relu,
                    [
                        residual {
                            conv($depth, 3x3, pad = 1, bias = none), batch_norm, relu,
                            conv($depth, 3x3, pad = 1, bias = none), batch_norm,
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

resnet! {
    /// He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition* (2015), table 1, the
    /// column of 18 layers, as torchvision has it (projections where the volume changes): 11,689,512
    /// parameters, 1.81 G multiply-adds.
    ResNet18: 224x224x3, 2 { layer2 128 1 } { layer3 256 1 } { layer4 512 1 }
}

resnet! {
    /// The same table, 34 layers: 21,797,672 parameters, 3.66 G multiply-adds in torchvision.
    ResNet34: 224x224x3, 3 { layer2 128 3 } { layer3 256 5 } { layer4 512 2 }
}
