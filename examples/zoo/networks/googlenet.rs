//! ImageNet, in 2014: filters of several sizes side by side.

use convnet::convnet;

/// Inception modules (1x1; reduction and 3x3; reduction and second 3x3; behind the pool), in groups
/// with a pool after each.
macro_rules! googlenet {
    ($(#[$doc:meta])* $name:ident: $input:tt
        $({ $($inception:ident $one:tt ($r3:tt $three:tt) ($r5:tt $five:tt) $pooled:tt),* }
        { $($then:tt)* })*) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input($input),
                conv1: [conv(64, 7x7, stride = 2, pad = 3, fit = crop, bias = none), batch_norm(eps = 1e-3), relu],
                pool1: max_pool(3x3, stride = 2, fit = pad),
                conv2: [conv(64, 1x1, bias = none), batch_norm(eps = 1e-3), relu],
                conv3: [conv(192, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu],
                pool2: max_pool(3x3, stride = 2, fit = pad),
                $(
                    $($inception: concat {
                        [conv($one, 1x1, bias = none), batch_norm(eps = 1e-3), relu],
                        [
                            conv($r3, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                            conv($three, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu,
                        ],
                        [
                            conv($r5, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                            conv($five, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu,
                        ],
                        [
                            max_pool(3x3, stride = 1, pad = 1),
                            conv($pooled, 1x1, bias = none), batch_norm(eps = 1e-3), relu,
                        ],
                    },)*
                    $($then)*,
                )*
                dropout(0.2),
                scores: fc(1000),
            }
        }
    };
}

googlenet! {
    /// Szegedy et al., *Going Deeper with Convolutions* (2014), table 1, as torchvision has it: with
    /// `batch_norm`, without the auxiliary classifiers, and with 3x3 where the paper says 5x5.
    /// 6,624,904 parameters, 1.50 G multiply-adds.
    GoogLeNet: 224x224x3
    { inception3a 64 (96 128) (16 32) 32, inception3b 128 (128 192) (32 96) 64 }
    { pool3: max_pool(3x3, stride = 2, fit = pad) }
    {
        inception4a 192 (96 208) (16 48) 64, inception4b 160 (112 224) (24 64) 64,
        inception4c 128 (128 256) (24 64) 64, inception4d 112 (144 288) (32 64) 64,
        inception4e 256 (160 320) (32 128) 128
    }
    { pool4: max_pool(2x2) }
    { inception5a 256 (160 320) (32 128) 128, inception5b 384 (192 384) (48 128) 128 }
    { global_avg_pool }
}
