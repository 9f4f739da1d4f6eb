//! Networks that are written as ONNX: of the zoo, and one with every layer.

#[path = "../../../examples/zoo/networks/lenet.rs"]
mod lenet;
#[path = "../../../examples/zoo/networks/mobilenet.rs"]
mod mobilenet;
#[path = "../../../examples/zoo/networks/resnet.rs"]
#[allow(dead_code, reason = "ResNet-34 is of the same stages")]
mod resnet;
#[path = "../../../examples/zoo/networks/squeezenet.rs"]
#[allow(dead_code, reason = "version 1.0 is of the same modules")]
mod squeezenet;

/// Ways that cross, as they are tested elsewhere.
#[path = "../../../tests/crossing/nets.rs"]
mod crossing;
#[path = "random.rs"]
mod random;

use convnet::convnet;

pub(crate) use crossing::{ByName, Heads, Names, Pyramid};
pub(crate) use lenet::LeNet5;
pub(crate) use mobilenet::MobileNet;
pub(crate) use random::random;
pub(crate) use resnet::ResNet18;
pub(crate) use squeezenet::SqueezeNet11;

convnet! {
    struct Head {
        input(6x4x8),
        conv1: conv(8, 3x3, pad = same),
        norm: batch_norm,
        relu,
    }
}

convnet! {
    /// Every layer, window and block that an exporter can get wrong.
    pub(crate) struct Everything {
        input(23x21x3),
        normalize(mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]),
        stem: conv(8, 3x5, stride = 2, pad = (1, 0, 2, 1), fit = crop, bias = none),
        norm: batch_norm(eps = 1e-3),
        relu6,
        depthwise(3x3, pad = same),
        hard_swish,
        conv(8, 1x1), silu,
        conv(8, 1x1), gelu,
        conv(8, 1x1), gelu_tanh,
        conv(8, 1x1), elu(0.5),
        conv(8, 1x1), softplus,
        conv(8, 1x1), clamp(-0.5, 2.5),
        conv(8, 3x3, groups = 4, dilation = 2, pad = 2),
        leaky_relu(0.2),
        scale { global_avg_pool, conv(2, 1x1), relu, conv(8, 1x1), hard_sigmoid },
        channel_shuffle(4),
        lrn(5, alpha = 0.1, beta = 0.5, k = 2.0),
        small: max_pool(3x3, stride = 2, fit = pad),
        gate: scale { tanh },
        upsample(2x3),
        max_pool(2x3),
        affine,
        space_to_depth(2x2), group_norm(4, eps = 1e-3), depth_to_space(2x2),
        layer_norm,
        batch_norm(momentum = 0.02, affine = none),
        layer_norm_volume(eps = 1e-3),
        crop((1, 0, 0, 2)),
        group_norm(8),
        pad((1, 0, 0, 2)),
        upsample_bilinear(2x2),
        prelu,
        pad((0, 1, 1, 0)),
        avg_pool(2x2, stride = 1),
        upsample_aligned(1x2),
        concat { [slices(2, from = 4)], [slices(6), prelu] },
        max_pool(2x4),
        residual { conv(12, 1x1), shortcut { pad_depth(12) } },
        conv(8, 1x1),
        stage: [residual {
            conv1: conv(8, 3x3, pad = same),
            tanh,
            residual { conv(8, 1x1), sigmoid },
        }, relu] * 2,
        network(Head),
        concat {
            [conv(4, 1x1), relu],
            [],
            [avg_pool(3x3, stride = 1, pad = 1), concat { [conv(2, 1x1)], [conv(3, 1x1), hard_sigmoid] }],
        },
        residual {
            conv1: conv(6, 2x2, stride = 2, fit = pad),
            relu,
            dropout(0.3),
            shortcut { max_pool(2x2), conv(6, 1x1, bias = none), batch_norm },
        },
        conv_transpose(5, 3x2, stride = 2, pad = (1, 0)),
        conv(5, 3x2, stride = 2, fit = pad),
        avg_pool(2x2, stride = 2, pad = (0, 1), fit = pad),
        fc1: fc(7),
        relu,
        between: residual { fc(7), batch_norm, sigmoid },
        concat { [fc(3, bias = none)], [fc(2), layer_norm(eps = 1e-6), tanh] },
        flatten,
        conv(6, 1x1),
        global_avg_pool,
        scores: fc(4),
        log_softmax,
    }
}

convnet! {
    /// Scores that are a map, and one way that is flat beside one that is not.
    pub(crate) struct Maps {
        input(4x4x3),
        concat {
            [global_max_pool],
            [fc(5), relu],
            [conv(2, 4x4)],
        },
        conv_transpose(4, 3x3, stride = 3, bias = none),
        softmax,
    }
}

convnet! {
    /// Stamps in groups, with gaps and beyond the last one; pools with gaps.
    pub(crate) struct Stamps {
        input(6x5x4),
        conv_transpose(6, 3x3, stride = 2, pad = (1, 0), groups = 2),
        batch_norm,
        conv_transpose(3, 2x3, stride = 3x2, output_pad = 1, dilation = 2x1, groups = 3, bias = none),
        relu,
        max_pool(3x2, stride = 2, pad = (0, 1, 2, 1), dilation = 2x3, fit = crop),
        conv_transpose(5, 3x3, stride = 1x2, pad = (0, 0, 0, 1), output_pad = 1),
        avg_pool(2x2, stride = 2, pad = 1, dilation = 2, fit = pad),
        scores: fc(4),
    }
}

convnet! {
    /// Several outputs: maps of two sizes, one that others are made of, and a vector.
    pub(crate) struct Several {
        input(12x8x3),
        stem: conv(6, 3x3, pad = 1),
        relu,
        max_pool(2x2),
        outputs {
            seen: [],
            boxes: [conv(8, 1x1)],
            scores: [down: [conv(4, 3x3, stride = 2, pad = (1, 0)), relu], conv(2, 1x1), sigmoid],
            light: [global_avg_pool, fc(3)],
        },
    }
}

convnet! {
    /// Outputs at three sizes, on the way down.
    pub(crate) struct Down {
        input(16x8x3),
        stem: conv(6, 3x3, pad = 1),
        relu,
        outputs { fine: [conv(4, 1x1), sigmoid], light: [global_avg_pool] },
        stage2: [conv(8, 2x2, stride = 2), relu, outputs { middle: [] }, conv(8, 1x1), relu],
        conv(8, 2x2, stride = 2),
        relu,
        outputs { boxes: [conv(4, 1x1)], coarse: [conv(2, 1x1)] },
    }
}

convnet! {
    /// And on the way up again, beside what was seen on the way down.
    pub(crate) struct Up {
        input(16x8x3),
        conv(6, 3x3, pad = 1),
        relu,
        concat {
            [],
            [
                conv(8, 2x2, stride = 2),
                relu,
                concat {
                    [],
                    [conv(8, 2x2, stride = 2), relu, outputs { coarse: [conv(2, 1x1)] }, upsample(2x2)],
                },
                outputs { middle: [conv(2, 1x1)] },
                upsample(2x2),
            ],
        },
        outputs { fine: [conv(2, 1x1)] },
    }
}

convnet! {
    /// A path aggregation network: features from coarse to fine, and back, with a head at each of three sizes.
    pub(crate) struct Pan {
        input(16x16x3),
        c3: [conv(6, 2x2, stride = 2, bias = none), batch_norm, silu],
        c4: [conv(8, 2x2, stride = 2, bias = none), batch_norm, silu],
        c5: [conv(12, 2x2, stride = 2, bias = none), batch_norm, silu],
        reduce5: [conv(8, 1x1), silu],
        upsample(2x2),
        concat { [], [from = c4] },
        reduce4: [conv(6, 1x1), silu],
        upsample(2x2),
        concat { [], [from = c3] },
        p3: [conv(6, 3x3, pad = 1), silu],
        conv(6, 2x2, stride = 2),
        concat { [silu], [from = reduce4] },
        p4: [conv(8, 3x3, pad = 1), silu],
        conv(8, 2x2, stride = 2),
        concat { [silu], [from = reduce5] },
        p5: [conv(12, 3x3, pad = 1), silu],
        outputs {
            large: [boxes: conv(4, 1x1)],
            middle: [from = p4, boxes: conv(4, 1x1)],
            small: [from = p3, boxes: conv(4, 1x1), sigmoid],
        },
    }
}

convnet! {
    /// A U-Net, written from top to bottom.
    pub(crate) struct UNet {
        input(16x16x1),
        down1: [conv(4, 3x3, pad = 1), relu, conv(4, 3x3, pad = 1), relu],
        max_pool(2x2),
        down2: [conv(8, 3x3, pad = 1), relu, conv(8, 3x3, pad = 1), relu],
        max_pool(2x2),
        bottom: [conv(16, 3x3, pad = 1), relu],
        conv_transpose(8, 2x2, stride = 2),
        concat { [from = down2], [] },
        up2: [conv(8, 3x3, pad = 1), relu, conv(8, 3x3, pad = 1), relu],
        conv_transpose(4, 2x2, stride = 2),
        concat { [from = down1], [] },
        up1: [conv(4, 3x3, pad = 1), relu, conv(4, 3x3, pad = 1), relu],
        scores: conv(2, 1x1),
    }
}

convnet! {
    /// A map on a way that crosses the longest one, and an output that begins on it.
    pub(crate) struct Pose {
        input(8x8x3),
        fine: [conv(4, 3x3, pad = 1), relu],
        conv(4, 2x2, stride = 2),
        relu,
        outputs {
            mask: [
                conv(4, 1x1),
                residual { upsample(2x2), shortcut { from = fine } },
                outputs { heat: [conv(2, 1x1)] },
                conv(1, 1x1),
            ],
            scores: [[conv(5, 3x3, pad = 1), relu] * 3, fc(3)],
        },
    }
}

convnet! {
    /// Outputs of ways of which one lies beside another.
    pub(crate) struct Beside {
        input(4x4x2),
        concat {
            [relu, residual { conv(2, 1x1), relu }],
            [relu, residual { conv(2, 1x1), relu }, outputs { seen: [] }, tanh],
        },
        residual { tanh, shortcut { conv(4, 1x1), outputs { short: [fc(2)] } } },
        outputs { scores: [fc(3)] },
    }
}

convnet! {
    struct Loop {
        input(4x4x3),
        conv1: conv(3, 1x1),
        residual { tanh, shortcut { from = input } },
    }
}

convnet! {
    /// Ways that the nodes alone could not tell from others: nothing on them, in each other, in repetitions, in a
    /// network, in outputs and beside them.
    pub(crate) struct Tangle {
        input(4x4x2),
        a: conv(3, 3x3, pad = 1),
        relu,
        b: [conv(3, 1x1), residual { relu }],
        concat { [from = a, concat { [from = b], [] }], [], [from = input, conv(2, 1x1)] },
        conv(3, 1x1),
        residual { shortcut { from = a, residual { shortcut { from = b } } } },
        residual { residual { shortcut { from = relu1 } }, shortcut { from = b.conv1 } },
        outputs { seen: [from = b], same: [] },
        concat { [conv(1, 1x1), outputs { thin: [] }, relu], [from = relu1], [concat { [], [from = a] }] },
        conv(3, 1x1),
        network(Loop),
        stage: [
            a: conv(3, 1x1),
            residual { outputs { eye: [from = input, tanh] }, conv(3, 1x1), outputs { on: [from = a, tanh] }, shortcut { from = a } },
            residual { relu, shortcut { from = stage.a, conv(3, 1x1) } },
        ],
        [conv(3, 1x1), residual { relu, shortcut { from = stage } }] * 3,
        affine,
        affine,
        outputs { all: [from = a, fc(2)] },
        scale { global_avg_pool, outputs { gate: [] }, residual { sigmoid, shortcut { from = residual2, global_avg_pool } } },
        fc(5),
        outputs { other: [from = stage.a], scores: [] },
    }
}

convnet! {
    struct Gated {
        input(4x4x4),
        scale { global_avg_pool, residual { tanh, shortcut { from = input, global_avg_pool } } },
    }
}

convnet! {
    /// Products among ways that cross: ways in them begin outside, others at them and at their lines.
    pub(crate) struct Gates {
        input(4x4x3),
        stem: conv(4, 3x3, pad = 1),
        squeezed: scale {
            global_avg_pool,
            narrow: conv(2, 1x1),
            relu,
            residual { conv(4, 1x1), shortcut { from = stem, global_avg_pool } },
            sigmoid,
        },
        conv(4, 1x1),
        residual { relu, shortcut { from = squeezed } },
        masked: scale { conv(4, 1x1), concat { [from = stem, conv(2, 1x1)], [conv(2, 1x1)] }, sigmoid },
        residual { relu, shortcut { from = masked.conv1, scale { sigmoid } } },
        scale { residual { shortcut { from = squeezed } } },
        network(Gated),
        residual { scale { outputs { seen: [from = masked] }, tanh }, shortcut { from = scale3 } },
        concat {
            [from = squeezed.narrow, upsample(4x4)],
            [scale { scale { tanh } }],
            [from = masked, scale { global_avg_pool, residual { shortcut { from = squeezed.narrow, conv(4, 1x1) } } }],
        },
        outputs { scores: [fc(2)], gate: [from = squeezed.sigmoid1] },
    }
}

convnet! {
    /// Blocks whose last line has the name of a part: of what `silu` is written as, and `affine`.
    pub(crate) struct Parts {
        input(4x4x2),
        conv(4, 1x1),
        s: scale { gate: sigmoid },
        silu,
        h: scale { gate: hard_sigmoid },
        hard_swish,
        n: residual { scaled: affine, shifted: affine },
        affine,
        scores: fc(2),
    }
}

convnet! {
    struct Own {
        input(4x4x3),
        a: conv(3, 1x1),
        residual { tanh, shortcut { from = input } },
    }
}

convnet! {
    /// Networks that begin a way at what they read, where a line inside has the name of the brackets in front.
    pub(crate) struct Inside {
        input(4x4x2),
        a: [conv(3, 3x3, pad = 1), relu],
        network(Own),
        a2: [conv(3, 1x1), a: network(Own)],
        stage: [a: network(Own), b: network(Own), network(Own)],
        residual { relu, shortcut { from = a } },
        scores: fc(2),
    }
}

convnet! {
    struct Again {
        input(4x4x3),
        a: [conv(3, 1x1), relu],
        residual { tanh, shortcut { from = input } },
    }
}

convnet! {
    /// And where every name of that line is one inside, too.
    pub(crate) struct Hidden {
        input(4x4x2),
        a: [conv(3, 3x3, pad = 1), relu],
        network(Again),
        residual { relu, shortcut { from = a } },
        scores: fc(2),
    }
}

convnet! {
    /// And where it has weights, as which it has a name in files.
    pub(crate) struct Single {
        input(4x4x2),
        a: conv(3, 3x3, pad = 1),
        network(Own),
        residual { relu, shortcut { from = a } },
        scores: fc(2),
    }
}

convnet! {
    /// And where it is a block.
    pub(crate) struct Block {
        input(4x4x3),
        a: residual { conv(3, 1x1), relu },
        network(Own),
        stage: [a: conv(3, 1x1), network(Own), a2: network(Own)],
        scores: fc(2),
    }
}

convnet! {
    /// A vector in, and nothing but what is gone afterwards.
    pub(crate) struct Nothing {
        input(1x1x9),
        dropout(0.5),
    }
}

convnet! {
    /// What ONNX has no operator for, or TensorFlow Lite several; and layers of vectors.
    pub(crate) struct Rest {
        input(7x6x8),
        max_pool(3x3, stride = 2, pad = 1, fit = crop),
        lrn(4, alpha = 0.5, beta = 0.6, k = 1.5),
        depth_to_space(2x1),
        conv(6, 1x1), clamp(-1.0, 1.0),
        elu,
        conv(8, 1x1), clamp(0.0, 1.0),
        space_to_depth(1x3),
        conv(6, 1x1), clamp(0.0, 6.0),
        conv_transpose(6, 4x4, stride = 2, pad = 1),
        affine,
        relu,
        conv_transpose(4, 3x2, stride = 2, groups = 2),
        avg_pool(3x3, stride = 2, pad = 1, fit = crop),
        fc(8),
        group_norm(2),
        layer_norm_volume,
        lrn(2),
        channel_shuffle(2),
        hard_sigmoid,
        pad_depth(10),
        slices(6, from = 3),
        upsample(2x2),
        prelu,
        depthwise(2x2),
        softmax,
    }
}

/// Calls `$go` with each type and its name.
macro_rules! each {
    ($go:ident) => {
        $go!(LeNet5);
        $go!(MobileNet);
        $go!(SqueezeNet11);
        $go!(ResNet18);
        $go!(Everything);
        $go!(Maps);
        $go!(Stamps);
        $go!(Several);
        $go!(Down);
        $go!(Up);
        $go!(Pyramid);
        $go!(Names);
        $go!(Heads);
        $go!(ByName);
        $go!(Pose);
        $go!(Beside);
        $go!(Pan);
        $go!(UNet);
        $go!(Tangle);
        $go!(Gates);
        $go!(Inside);
        $go!(Parts);
    };
}
pub(crate) use each;
