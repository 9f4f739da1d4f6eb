//! Whole networks as `convnet!` writes them: every gradient against central differences, in f64.

mod common;

use common::check;
use convnet::{OnHeap, Parameters, Rng, convnet};

convnet! {
    /// Every layer that there is, each next to others than usual.
    struct Everything {
        input(9x7x2),
        leaky_relu(0.1),
        conv1: conv(5, 3x3, pad = 1),
        tanh,
        sigmoid,
        max_pool(3x3, stride = 2, pad = (1, 1)),
        conv(4, 2x2, pad = same),
        relu,
        dropout(0.0),
        avg_pool(3x2, stride = 2, fit = crop),
        conv(6, 1x1, stride = 2x1, fit = pad),
        leaky_relu,
        flatten,
        fc(8),
        sigmoid,
        dropout(0.5),
        tanh,
        scores: fc(5),
        softmax,
    }
}

convnet! {
    /// Filters in groups and with gaps; layers that read their input again beside layers in place.
    struct Grouped {
        input(8x6x4),
        hard_swish,
        conv1: conv(6, 3x3, pad = 2, dilation = 2, groups = 2),
        hard_swish,
        relu6,
        depthwise(3x3, stride = 2, pad = 1, fit = crop),
        hard_sigmoid,
        tanh,
        hard_swish,
        dropout(0.0),
        hard_swish,
        conv2: conv(9, 1x1, groups = 3, bias = none),
        depthwise(2x1, dilation = 2x1, bias = none),
        global_max_pool,
        hard_swish,
    }
}

convnet! {
    /// Layers that normalise: at the image, beside each other, in front of and behind others.
    struct Normed {
        input(5x4x3),
        dropout(0.0),
        norm: batch_norm,
        conv(6, 3x3, pad = 1, bias = none),
        batch_norm(eps = 1e-2),
        relu,
        lrn(3, alpha = 0.5, k = 2.0),
        tanh,
        up: conv_transpose(4, 3x2, stride = 2, pad = (0, 1)),
        batch_norm,
        batch_norm,
        sigmoid,
        fc(5),
        batch_norm,
    }
}

convnet! {
    /// Nothing but layers that read their input again.
    struct Swished { input(2x2x3), hard_swish, flatten, hard_swish }
}

convnet! {
    /// Every other activation, in front of a layer and behind one.
    struct Bent {
        input(3x2x4),
        silu,
        conv(5, 2x2),
        gelu,
        elu(0.5),
        conv(3, 1x1),
        softplus,
        gelu_tanh,
        clamp(-0.5, 2.0),
        elu,
    }
}

convnet! {
    /// Products: of the image, of what others read too, inside each other, and as the last layer.
    struct Scaled {
        input(4x3x2),
        scale { sigmoid },
        residual {
            scale { global_avg_pool, conv(3, 1x1), silu, conv(2, 1x1), hard_sigmoid },
            conv(2, 3x3, pad = 1),
            batch_norm,
        },
        concat { [conv(3, 1x1), scale { fc(3), tanh }], [scale { conv(2, 1x1) }, relu], [] },
        tanh,
        outer: scale {
            conv(7, 1x1),
            scale { global_max_pool },
            scale { dropout(0.0), flatten },
        },
        scale { global_avg_pool, sigmoid },
    }
}

convnet! {
    /// Layers that only move numbers, on the image too; one way up and one way down.
    struct Moved {
        input(3x2x4),
        upsample(2x3),
        channel_shuffle(2),
        conv(6, 3x3, pad = 1),
        residual { max_pool(2x2), channel_shuffle(3), upsample(2x2) },
        relu,
        channel_shuffle(6),
    }
}

convnet! {
    /// More of these, and layers that learn a number or two for each slice; ways that read a part each.
    struct Parts {
        input(3x2x4),
        normalize(mean = [0.5, -1.0, 0.0, 2.0], std = 0.5),
        affine,
        pad((1, 0, 2, 1)),
        upsample_bilinear(1x2),
        prelu,
        concat { [slices(1)], [slices(3, from = 1), conv(3, 1x1)], [pad_depth(5)] },
        residual { upsample_aligned(2x1), conv(9, 2x1, stride = 2x1), prelu },
        layer_norm_volume(eps = 1e-3),
        avg_pool(2x2),
        affine,
    }
}

convnet! {
    /// The image times itself, behind layers in place, and its gradient asked for.
    struct Square { input(2x3x2), tanh, scale { flatten }, scale { sigmoid } }
}

convnet! {
    /// Layers without parameters on both sides of the only ones that have some.
    struct Between {
        input(6x6x3),
        max_pool(2x2),
        relu,
        conv(4, 3x3),
        global_avg_pool,
        tanh,
    }
}

convnet! {
    /// In place on the image, and nothing else.
    struct Still { input(2x2x3), flatten, tanh, sigmoid }
}

#[test]
fn every_gradient_of_everything() {
    check::<Everything<f64>>(1);
    check::<Everything<f64>>(2);
}

#[test]
fn every_gradient_of_groups() {
    check::<Grouped<f64>>(5);
    check::<Grouped<f64>>(6);
    check::<Swished<f64>>(7);
    check::<Bent<f64>>(8);
}

/// Heads at three sizes: on the way down, and on the way up again beside what was seen on the way down.
mod pyramids {
    convnet::convnet! {
        pub(super) struct Down {
            input(8x8x2),
            conv(3, 3x3, pad = 1), tanh,
            outputs { fine: [conv(2, 1x1), sigmoid], boxes: [conv(1, 1x1)] },
            conv(4, 2x2, stride = 2), tanh,
            outputs { middle: [tower: [conv(3, 1x1), tanh], outputs { inside: [conv(1, 1x1)] }, conv(2, 1x1)] },
            conv(4, 2x2, stride = 2), tanh,
            outputs { coarse: [conv(2, 1x1)] },
        }
    }

    convnet::convnet! {
        pub(super) struct Up {
            input(8x8x2),
            conv(3, 3x3, pad = 1), tanh,
            concat { [], [
                conv(4, 2x2, stride = 2), batch_norm, tanh,
                concat { [], [
                    residual { conv(4, 1x1), outputs { within: [global_avg_pool] }, tanh },
                    conv(5, 2x2, stride = 2), tanh,
                    outputs { coarse: [conv(2, 1x1)] },
                    upsample(2x2),
                ] },
                outputs { middle: [conv(2, 1x1)] },
                conv_transpose(2, 2x2, stride = 2),
            ] },
            outputs { fine: [conv(2, 1x1)] },
        }
    }
}

#[test]
fn every_gradient_of_heads_at_three_sizes() {
    check::<pyramids::Down<f64>>(13);
    check::<pyramids::Up<f64>>(14);
}

#[test]
fn every_gradient_of_products() {
    check::<Scaled<f64>>(9);
    check::<Square<f64>>(10);
    check::<Moved<f64>>(11);
    check::<Parts<f64>>(12);
}

#[test]
fn every_gradient_of_normalisations() {
    check::<Normed<f64>>(8);
    check::<Normed<f64>>(9);
}

/// S·(W − 1) + F − before − after: 2·(5 − 1) + 3 − 1 and 2·(4 − 1) + 2 − 1.
#[test]
fn the_figures_of_normalisations() {
    let up = Normed::LAYERS
        .iter()
        .find(|layer| layer.name == "up")
        .expect("up");
    assert_eq!((up.volume, up.parameters), ([7, 10, 4], 3 * 2 * 6 * 4 + 4));
    assert_eq!(up.macs, 5 * 4 * 6 * 3 * 2 * 4);
    let norms = 2 * (3 + 6 + 4 + 4 + 5);
    let others = 3 * 3 * 3 * 6 + up.parameters + 7 * 10 * 4 * 5 + 5;
    assert_eq!(Normed::PARAMETERS, norms + others);
    let statistics = <Normed as Parameters>::TENSORS.iter();
    let statistics = statistics.filter(|tensor| !tensor.role.is_learned());
    assert_eq!(statistics.map(convnet::Tensor::len).sum::<usize>(), norms);
    // In place at inference: the largest pair is what `up` reads and writes, in lines of 16.
    assert_eq!(Normed::ARENA_BYTES, (128 + 288) * 4);
    let file = convnet::weights::to_bytes(&*Normed::<f32>::random(3)).expect("finite");
    let copy =
        convnet::flash::read::<Normed<f32>>(&file).unwrap_or_else(|e| panic!("{}", e.as_str()));
    assert_eq!((copy.norm.gamma, copy.norm.variance), ([1.0; 3], [1.0; 3]));
    assert_eq!(convnet::weights::to_bytes(&copy).expect("finite"), file);
}

/// A bias that is not learned is no tensor: 6·3·3·2 + 6, 6·3·3 + 6, 9·2, 9·2 numbers are.
#[test]
fn no_bias_is_no_parameter() {
    assert_eq!(Grouped::PARAMETERS, 114 + 60 + 18 + 18);
    let tensors = <Grouped as convnet::Parameters>::TENSORS;
    let names: Vec<_> = tensors.iter().map(|tensor| tensor.name).collect();
    let expected = [
        "conv1.filters",
        "conv1.bias",
        "depthwise1.filters",
        "depthwise1.bias",
        "conv2.filters",
        "depthwise2.filters",
    ];
    assert_eq!(names, expected);
    assert_eq!(tensors[4].shape, [1, 1, 2, 9]);
    assert_eq!(tensors[5].shape, [1, 2, 1, 9], "rows first");
    let scalars: usize = tensors.iter().map(convnet::Tensor::len).sum();
    assert_eq!(scalars, Grouped::PARAMETERS);
}

/// A file becomes the network while a program compiles; here it does so while it runs.
#[test]
fn groups_come_back_from_flash() {
    let net = Grouped::<f32>::random(9);
    let file = convnet::weights::to_bytes(&*net).expect("finite");
    let copy =
        convnet::flash::read::<Grouped<f32>>(&file).unwrap_or_else(|e| panic!("{}", e.as_str()));
    assert_eq!(copy.depthwise1, net.depthwise1);
    assert_eq!(copy.conv2, net.conv2);
    assert_eq!(convnet::weights::to_bytes(&copy).expect("finite"), file);
}

#[test]
fn every_gradient_between() {
    check::<Between<f64>>(3);
}

#[test]
fn the_gradient_of_a_network_that_stands_still() {
    check::<Still<f64>>(4);
}

#[test]
fn inference_is_training_without_dropout() {
    let mut net = Everything::<f64>::random(7);
    net.scores.bias[2] = 1.0;
    let mut image = convnet::Volume::boxed();
    let mut rng = Rng::new(8);
    image
        .as_mut_slice()
        .iter_mut()
        .for_each(|x| *x = rng.normal());
    let mut arena = Everything::<f64>::arena();
    let scores = net.forward(&image, &mut arena).clone();
    let sum: f64 = scores.as_slice().iter().sum();
    assert!((sum - 1.0).abs() < 1e-12, "softmax sums to {sum}");
    let mut tape = Everything::<f64>::tape();
    let runs: Vec<_> = (0..2000)
        .map(|seed| net.forward_train(&image, &mut tape, seed).clone())
        .collect();
    let differ = runs.iter().filter(|run| **run != scores).count();
    assert!(
        differ > 1900,
        "dropout of a half of 8 neurons leaves 1 in 256 runs alone: {differ}"
    );
}
