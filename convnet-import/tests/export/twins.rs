//! Networks whose int8 twins are written as TensorFlow Lite: every kind of layer, of padding and of activation.

use convnet::int8::{Int8, Quantize, QuantizeError, Settings};
use convnet::{AnyVolume, OnHeap, Rng, convnet, int8};

#[path = "../../../examples/zoo/networks/lenet.rs"]
mod lenet;
#[path = "../../../examples/zoo/networks/mobilenet.rs"]
mod mobilenet;
#[path = "random.rs"]
mod random;

pub(crate) use lenet::LeNet5;
pub(crate) use mobilenet::MobileNet;
use random::random;

int8!(LeNet5);
int8!(MobileNet);

convnet! {
    /// Pools that a conv takes, before a clamp and behind it.
    pub(crate) struct Digits {
        input(12x12x1),
        conv(6, 5x5), relu, max_pool(2x2),
        conv(8, 3x3, pad = same), max_pool(2x2), relu,
        dropout(0.5),
        fc(16), relu,
        fc(5),
    }
}
int8!(Digits);

convnet! {
    pub(crate) struct Residual {
        input(9x9x4),
        conv(8, 3x3, pad = same, bias = none), batch_norm, relu,
        residual { conv(8, 3x3, pad = same), batch_norm, relu, conv(8, 3x3, pad = same), batch_norm },
        relu,
        residual { conv(12, 3x3, stride = 2, pad = 1), shortcut { conv(12, 1x1, stride = 2) } },
        relu6,
        residual { relu, conv(12, 3x3, pad = 1) },
        global_avg_pool,
        fc(5),
    }
}
int8!(Residual);

convnet! {
    pub(crate) struct Mobile {
        input(17x15x3),
        conv(8, 3x3, stride = 2, pad = 1), batch_norm, relu6,
        depthwise(3x3, stride = 2, pad = 1, fit = crop), batch_norm, relu6,
        conv(12, 1x1), batch_norm,
        residual { conv(24, 1x1), relu6, depthwise(3x3, pad = same), relu6, conv(12, 1x1) },
        depthwise(2x2, pad = (1, 0, 0, 1)),
        global_avg_pool,
        fc(4),
        softmax,
    }
}
int8!(Mobile);

convnet! {
    /// `batch_norm` that follows no filters.
    pub(crate) struct Norms {
        input(7x6x3),
        batch_norm, relu,
        avg_pool(2x2, stride = 1),
        batch_norm,
        max_pool(2x3, stride = 1),
        relu6,
        fc(6), relu, batch_norm,
        fc(3),
    }
}
int8!(Norms);

convnet! {
    /// Squeeze and excitation, and gates as large as what goes through them.
    pub(crate) struct Gated {
        input(8x8x3),
        conv(8, 3x3), relu,
        scale { global_avg_pool, fc(2), relu, fc(8), sigmoid }, relu,
        scale { tanh },
        scale { global_max_pool, conv(8, 1x1), hard_sigmoid }, relu6,
        fc(5),
        scale { fc(5), sigmoid },
    }
}
int8!(Gated);

convnet! {
    /// Ways with ranges of their own, and some with that of the whole.
    pub(crate) struct Ways {
        input(6x6x4),
        concat {
            [conv(4, 1x1), relu],
            [],
            [avg_pool(3x3, stride = 1, pad = 1), concat { [conv(3, 1x1)], [conv(2, 3x3, pad = 1), sigmoid] }],
            [max_pool(3x3, stride = 1, pad = 1)],
        },
        relu,
        concat { [fc(3)], [global_avg_pool], [fc(2), tanh] },
        fc(4),
    }
}
int8!(Ways);

convnet! {
    /// Padding that is neither `VALID` nor `SAME`.
    pub(crate) struct Pools {
        input(23x21x3),
        avg_pool(3x3, stride = 1, pad = 1),
        avg_pool(3x2, stride = 1, pad = (1, 0, 1, 1)),
        max_pool(3x3, stride = 1, pad = (2, 1)),
        max_pool(2x2, stride = 2, fit = pad),
        avg_pool(2x2, stride = 2, pad = (0, 1), fit = pad),
        avg_pool(4x3, stride = 1, pad = (2, 0, 0, 2)),
        max_pool(3x3, stride = 2, pad = (0, 1, 2, 1), fit = crop),
        global_max_pool,
    }
}
int8!(Pools);

convnet! {
    pub(crate) struct Gaps {
        input(17x16x4),
        conv(4, 3x3, dilation = 2, pad = 2), relu,
        depthwise(3x3, dilation = 1x2, pad = 1),
        conv(6, 3x2, dilation = 3x1, stride = 2, fit = crop), relu6,
        avg_pool(2x2, stride = 1, dilation = 2, pad = 1),
        avg_pool(2x3, stride = 2, dilation = 2x1, fit = crop),
    }
}
int8!(Gaps);

convnet! {
    pub(crate) struct Tables {
        input(5x5x3),
        conv(6, 3x3, pad = 1), hard_swish,
        conv(6, 1x1), leaky_relu(0.2),
        conv(6, 1x1), sigmoid,
        conv(6, 1x1), tanh,
        conv(6, 1x1), silu,
        conv(6, 1x1), gelu,
        conv(6, 1x1), gelu_tanh,
        conv(6, 1x1), elu,
        conv(6, 1x1), elu(0.5),
        conv(6, 1x1), softplus,
        conv(6, 1x1), clamp(-0.5, 0.75),
        conv(6, 1x1), hard_sigmoid,
        fc(7), leaky_relu,
        fc(4), silu,
    }
}
int8!(Tables);

convnet! {
    /// Numbers that go to other places.
    pub(crate) struct Moves {
        input(4x6x4),
        conv(12, 1x1), relu,
        upsample(2x3),
        channel_shuffle(4),
        depth_to_space(2x2),
        space_to_depth(4x4),
        depth_to_space(1x2),
        space_to_depth(2x1),
        conv(8, 1x1),
        channel_shuffle(2),
        relu6,
    }
}
int8!(Moves);

convnet! {
    pub(crate) struct Groups {
        input(8x8x8),
        conv(12, 3x3, groups = 4, pad = 1), relu,
        channel_shuffle(4),
        conv(12, 3x3, groups = 12, stride = 2, pad = 1, fit = crop), relu,
        conv(6, 1x1, groups = 2),
        fc(3),
    }
}
int8!(Groups);

convnet! {
    /// Filters that hang over one side more than over another.
    pub(crate) struct Borders {
        input(23x21x3),
        conv(8, 3x5, stride = 2, pad = (1, 0, 2, 1), fit = crop), relu,
        depthwise(5x3, stride = 2, pad = (0, 2), fit = pad),
        conv(4, 2x2, stride = 2, fit = pad), relu6, max_pool(2x2, stride = 1),
    }
}
int8!(Borders);

convnet! {
    /// One score, which has one scale whatever is asked for.
    pub(crate) struct Score {
        input(4x3x2),
        conv(3, 2x2), relu6,
        fc(9), relu6,
        fc(1), sigmoid,
    }
}
int8!(Score);

convnet! {
    /// Clamps behind what has no clamp of its own.
    pub(crate) struct Clamps {
        input(8x8x5),
        relu,
        avg_pool(2x2, stride = 1, fit = crop), relu6,
        conv(4, 2x2), relu,
        upsample(2x2), relu6,
        global_avg_pool, relu,
    }
}
int8!(Clamps);

convnet! {
    /// Scores that are a map.
    pub(crate) struct Columns {
        input(6x5x3),
        conv(4, 3x3, pad = same), softmax,
    }
}
int8!(Columns);

/// Calls `$go` with each type, its name, and whether each `fc` is to have one scale.
macro_rules! each_twin {
    ($go:ident) => {
        $go!(LeNet5, false);
        $go!(LeNet5, true);
        $go!(MobileNet, false);
        $go!(Digits, false);
        $go!(Digits, true);
        $go!(Residual, false);
        $go!(Mobile, true);
        $go!(Norms, false);
        $go!(Gated, false);
        $go!(Ways, true);
        $go!(Pools, false);
        $go!(Gaps, false);
        $go!(Tables, false);
        $go!(Moves, false);
        $go!(Groups, false);
        $go!(Borders, false);
        $go!(Score, false);
        $go!(Score, true);
        $go!(Clamps, false);
        $go!(Columns, false);
    };
}
pub(crate) use each_twin;

/// A network's twin, by some images of noise.
pub(crate) fn twin<N: Quantize + OnHeap>(fc_per_tensor: bool) -> Result<Box<Int8<N>>, QuantizeError>
where
    N::Input: AnyVolume<Scalar = f32>,
{
    let mut rng = Rng::new(9);
    let mut images = Vec::new();
    for _ in 0..4 {
        let mut image = bytemuck::zeroed_box::<N::Input>();
        let numbers = image.as_mut_slice().iter_mut();
        numbers.for_each(|it| *it = rng.normal() as f32);
        images.push(image);
    }
    let settings = Settings {
        fc_per_tensor,
        ..Settings::default()
    };
    random::<N>().quantize_by(&images, settings)
}
