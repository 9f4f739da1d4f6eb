//! ImageNet on a phone, from 2018 on: blocks that widen, look around in each slice, and narrow again.

use convnet::convnet;

/// Stages of such blocks, as torchvision has them. A stage says its activation and its filter, with its padding
/// and the stride of the first block; then of the first block how wide it becomes, how narrow its squeeze and
/// excitation is (if it has one), and how deep what it writes; then of each other block the first two.
macro_rules! mobile {
    ($(#[$doc:meta])* $name:ident: eps $eps:tt, squeeze $inner:ident $gate:ident, { $($stem:tt)* }
        $({ $stage:ident $act:ident $size:tt $pad:tt $stride:tt: $wide:tt $(($narrow:tt))? -> $deep:tt
            $(; $($wider:tt $(($narrower:tt))?),*)? })*
        then { $($head:tt)* }) => {
        convnet! {
            $(#[$doc])*
            pub(crate) struct $name {
                input(224x224x3),
                $($stem)*
                $($stage: [
                    conv($wide, 1x1, bias = none), batch_norm(eps = $eps), $act,
                    depthwise($size, stride = $stride, pad = $pad, fit = crop, bias = none),
                    batch_norm(eps = $eps), $act,
                    $(scale { global_avg_pool, conv($narrow, 1x1), $inner, conv($wide, 1x1), $gate },)?
                    conv($deep, 1x1, bias = none), batch_norm(eps = $eps),
                    $($(residual {
                        conv($wider, 1x1, bias = none), batch_norm(eps = $eps), $act,
                        depthwise($size, pad = $pad, bias = none), batch_norm(eps = $eps), $act,
                        $(scale { global_avg_pool, conv($narrower, 1x1), $inner, conv($wider, 1x1), $gate },)?
                        conv($deep, 1x1, bias = none), batch_norm(eps = $eps),
                    },)*)?
                ],)*
                $($head)*
            }
        }
    };
}

mobile! {
    /// Sandler et al., *MobileNetV2: Inverted Residuals and Linear Bottlenecks* (2018), table 2, as torchvision
    /// has it: 3,504,872 parameters, 0.30 G multiply-adds.
    MobileNetV2: eps 1e-5, squeeze relu sigmoid,
    {
        stage0: [conv(32, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu6],
        stage1: [
            depthwise(3x3, pad = 1, bias = none), batch_norm, relu6,
            conv(16, 1x1, bias = none), batch_norm,
        ],
    }
    { stage2 relu6 3x3 1 2: 96 -> 24; 144 }
    { stage3 relu6 3x3 1 2: 144 -> 32; 192, 192 }
    { stage4 relu6 3x3 1 2: 192 -> 64; 384, 384, 384 }
    { stage5 relu6 3x3 1 1: 384 -> 96; 576, 576 }
    { stage6 relu6 3x3 1 2: 576 -> 160; 960, 960 }
    { stage7 relu6 3x3 1 1: 960 -> 320 }
    then {
        conv(1280, 1x1, bias = none), batch_norm, relu6,
        global_avg_pool,
        dropout(0.2),
        scores: fc(1000),
    }
}

mobile! {
    /// Howard et al., *Searching for MobileNetV3* (2019), table 2, as torchvision has it: 2,542,856 parameters,
    /// 0.06 G multiply-adds.
    MobileNetV3Small: eps 1e-3, squeeze relu hard_sigmoid,
    {
        stage0: [
            conv(16, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm(eps = 1e-3), hard_swish,
        ],
        stage1: [
            depthwise(3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm(eps = 1e-3), relu,
            scale { global_avg_pool, conv(8, 1x1), relu, conv(16, 1x1), hard_sigmoid },
            conv(16, 1x1, bias = none), batch_norm(eps = 1e-3),
        ],
    }
    { stage2 relu 3x3 1 2: 72 -> 24; 88 }
    { stage3 hard_swish 5x5 2 2: 96 (24) -> 40; 240 (64), 240 (64) }
    { stage4 hard_swish 5x5 2 1: 120 (32) -> 48; 144 (40) }
    { stage5 hard_swish 5x5 2 2: 288 (72) -> 96; 576 (144), 576 (144) }
    then {
        conv(576, 1x1, bias = none), batch_norm(eps = 1e-3), hard_swish,
        global_avg_pool,
        fc(1024),
        hard_swish,
        dropout(0.2),
        scores: fc(1000),
    }
}

mobile! {
    /// The same paper, table 1: 5,483,032 parameters in torchvision, 0.22 G multiply-adds.
    MobileNetV3Large: eps 1e-3, squeeze relu hard_sigmoid,
    {
        stage0: [
            conv(16, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm(eps = 1e-3), hard_swish,
        ],
        stage1: residual {
            depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu,
            conv(16, 1x1, bias = none), batch_norm(eps = 1e-3),
        },
    }
    { stage2 relu 3x3 1 2: 64 -> 24; 72 }
    { stage3 relu 5x5 2 2: 72 (24) -> 40; 120 (32), 120 (32) }
    { stage4 hard_swish 3x3 1 2: 240 -> 80; 200, 184, 184 }
    { stage5 hard_swish 3x3 1 1: 480 (120) -> 112; 672 (168) }
    { stage6 hard_swish 5x5 2 2: 672 (168) -> 160; 960 (240), 960 (240) }
    then {
        conv(960, 1x1, bias = none), batch_norm(eps = 1e-3), hard_swish,
        global_avg_pool,
        fc(1280),
        hard_swish,
        dropout(0.2),
        scores: fc(1000),
    }
}

mobile! {
    /// Tan et al., *MnasNet: Platform-Aware Neural Architecture Search for Mobile* (2018), figure 7, as torchvision
    /// has it (MNASNet 1.0, its B1): 4,383,312 parameters, 0.31 G multiply-adds.
    MnasNet: eps 1e-5, squeeze relu sigmoid,
    {
        stage0: [conv(32, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu],
        stage1: [
            depthwise(3x3, pad = 1, bias = none), batch_norm, relu,
            conv(16, 1x1, bias = none), batch_norm,
        ],
    }
    { stage2 relu 3x3 1 2: 48 -> 24; 72, 72 }
    { stage3 relu 5x5 2 2: 72 -> 40; 120, 120 }
    { stage4 relu 5x5 2 2: 240 -> 80; 480, 480 }
    { stage5 relu 3x3 1 1: 480 -> 96; 576 }
    { stage6 relu 5x5 2 2: 576 -> 192; 1152, 1152, 1152 }
    { stage7 relu 3x3 1 1: 1152 -> 320 }
    then {
        conv(1280, 1x1, bias = none), batch_norm, relu,
        global_avg_pool,
        dropout(0.2),
        scores: fc(1000),
    }
}

mobile! {
    /// Tan and Le, *EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks* (2019), table 1, as
    /// torchvision has it: 5,288,548 parameters, 0.39 G multiply-adds.
    EfficientNetB0: eps 1e-5, squeeze silu sigmoid,
    {
        stage0: [conv(32, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, silu],
        stage1: [
            depthwise(3x3, pad = 1, bias = none), batch_norm, silu,
            scale { global_avg_pool, conv(8, 1x1), silu, conv(32, 1x1), sigmoid },
            conv(16, 1x1, bias = none), batch_norm,
        ],
    }
    { stage2 silu 3x3 1 2: 96 (4) -> 24; 144 (6) }
    { stage3 silu 5x5 2 2: 144 (6) -> 40; 240 (10) }
    { stage4 silu 3x3 1 2: 240 (10) -> 80; 480 (20), 480 (20) }
    { stage5 silu 5x5 2 1: 480 (20) -> 112; 672 (28), 672 (28) }
    { stage6 silu 5x5 2 2: 672 (28) -> 192; 1152 (48), 1152 (48), 1152 (48) }
    { stage7 silu 3x3 1 1: 1152 (48) -> 320 }
    then {
        conv(1280, 1x1, bias = none), batch_norm, silu,
        global_avg_pool,
        dropout(0.2),
        scores: fc(1000),
    }
}
