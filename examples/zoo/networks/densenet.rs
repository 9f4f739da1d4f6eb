//! ImageNet, in 2016: each layer reads what all before it have written.

use convnet::convnet;

/// Layers that each add 32 slices; then half as deep, and half as wide and high.
macro_rules! densenet {
    ($(#[$doc:meta])* $name:ident: $({ $block:ident $layers:tt $half:tt })* then $last:ident $most:tt) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input(224x224x3),
                conv0: conv(64, 7x7, stride = 2, pad = 3, fit = crop, bias = none),
                batch_norm,
                relu,
                max_pool(3x3, stride = 2, pad = 1, fit = crop),
                $(
                    $block: [concat {
                        [],
                        [
                            batch_norm, relu, conv(128, 1x1, bias = none),
                            batch_norm, relu, conv(32, 3x3, pad = 1, bias = none),
                        ],
                    }] * $layers,
                    batch_norm, relu, conv($half, 1x1, bias = none),
                    avg_pool(2x2),
                )*
                $last: [concat {
                    [],
                    [
                        batch_norm, relu, conv(128, 1x1, bias = none),
                        batch_norm, relu, conv(32, 3x3, pad = 1, bias = none),
                    ],
                }] * $most,
                batch_norm,
                relu,
                global_avg_pool,
                scores: fc(1000),
            }
        }
    };
}

densenet! {
    /// Huang, Liu, van der Maaten and Weinberger, *Densely Connected Convolutional Networks* (2016), table 1, as
    /// torchvision has it: 7,978,856 parameters, 2.83 G multiply-adds.
    DenseNet121: { dense1 6 128 } { dense2 12 256 } { dense3 24 512 } then dense4 16
}
