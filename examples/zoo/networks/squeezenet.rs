//! AlexNet's accuracy with a fiftieth of its parameters, in 2016.

use convnet::convnet;

/// Fire modules (squeeze, expand 1x1, expand 3x3), in groups with a pool after each.
macro_rules! squeezenet {
    ($(#[$doc:meta])* $name:ident: $input:tt ($($stem:tt)*)
        $({ $($fire:ident $squeeze:tt $one:tt $three:tt),* } { $($then:tt)* })*) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input($input),
                conv1: conv($($stem)*, stride = 2, fit = crop),
                relu,
                max_pool(3x3, stride = 2),
                $(
                    $($fire: [
                        squeeze: conv($squeeze, 1x1),
                        relu,
                        concat {
                            [conv($one, 1x1), relu],
                            [conv($three, 3x3, pad = 1), relu],
                        },
                    ],)*
                    $($then)*,
                )*
                scores: conv(1000, 1x1),
                relu,
                global_avg_pool,
            }
        }
    };
}

squeezenet! {
    /// Iandola et al., *SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5 MB model
    /// size* (2016), table 1, as torchvision's `squeezenet1_0` has it: 1,248,424 parameters, 0.82 G
    /// multiply-adds.
    SqueezeNet10: 224x224x3 (96, 7x7)
    { fire2 16 64 64, fire3 16 64 64, fire4 32 128 128 } { max_pool(3x3, stride = 2, fit = pad) }
    { fire5 32 128 128, fire6 48 192 192, fire7 48 192 192, fire8 64 256 256 }
    { max_pool(3x3, stride = 2) }
    { fire9 64 256 256 } { dropout(0.5) }
}

squeezenet! {
    /// The authors' second version, torchvision's `squeezenet1_1`: 1,235,496 parameters, 0.35 G
    /// multiply-adds.
    SqueezeNet11: 224x224x3 (64, 3x3)
    { fire2 16 64 64, fire3 16 64 64 } { max_pool(3x3, stride = 2) }
    { fire4 32 128 128, fire5 32 128 128 } { max_pool(3x3, stride = 2) }
    { fire6 48 192 192, fire7 48 192 192, fire8 64 256 256, fire9 64 256 256 } { dropout(0.5) }
}
