//! # The words of a declaration
//!
//! `convnet!` mentions these types where the words stand, so that an editor shows their
//! documentation, completes their arguments and jumps here. Nothing else uses them.
//!
//! A filter that slides has (W − F + 2P)/S + 1 positions along each axis, and that must be an
//! integer (CS231n, *Spatial arrangement*): see [`Fit`].
#![allow(non_camel_case_types, missing_debug_implementations)]

use crate::shape::{Fit, Padding};

/// `input(32x32x3)`: the image that the network reads. The first line, once.
pub struct input {
    /// Width x height x depth: `32x32x3` in color, `28x28x1` in gray. PyTorch's depth comes first, this one
    /// last: `3x32x32` before filters that are wider than 1 is an error that asks. A width of 3 that is
    /// meant has a name, `WIDTH x 32 x 32`; a signal of 64 along the height is seen by filters that are 1
    /// wide, `conv(8, 1x5)`.
    pub size: [usize; 3],
}

/// `conv(12, 5x5, stride = 1, pad = 2)`: filters slide over the volume.
///
/// Reads WxHxD, writes ((W − F + 2P)/S + 1)x((H − F + 2P)/S + 1)xK, and learns F·F·D·K weights and
/// K biases. See [`layer::Conv`](crate::layer::Conv), and with groups
/// [`layer::GroupedConv`](crate::layer::GroupedConv).
pub struct conv {
    /// K, how many filters: the depth of the output.
    pub filters: usize,
    /// F, width x height of each filter: `5x5`. Its depth is that of the input.
    pub size: [usize; 2],
    /// S, how far the filter steps: `2`, or across x down, `2x1`. 1 by default.
    pub stride: [usize; 2],
    /// P, zeros around the input: `2`, `same` (as many as keep the size), `(before, after)` or
    /// `(top, bottom, left, right)`. None by default.
    ///
    /// `(0, 3)` is 0 above and left, 3 below and right. It is not PyTorch's `padding=(0, 3)`, 0 rows and 3
    /// columns on both sides: that is `(0, 0, 3, 3)`.
    pub pad: Padding,
    /// What happens when the filter does not step exactly onto the last pixel: `exact` (an error,
    /// the default), `crop` (what is left over is dropped) or `pad` (zeros are added).
    pub fit: Fit,
    /// Into how many parts depth and filters are cut: each part of the filters sees one part of the
    /// depth, and the weights are so many times fewer. 1 by default; it divides both.
    pub groups: usize,
    /// From one tap of the filter to the next: `2`, or across x down, `2x1`. The filter then covers
    /// dilation·(F − 1) + 1, which stands for F in the formula. 1 by default: no gaps.
    pub dilation: [usize; 2],
    /// `none`: no biases are learned, counted or stored in weight files; they stay zero. For a
    /// `conv` in front of a normalisation, which has a shift of its own.
    pub bias: bool,
}

/// `depthwise(3x3, stride = 1, pad = 1)`: one filter for each depth slice.
///
/// Reads WxHxD, writes ((W − F + 2P)/S + 1)x((H − F + 2P)/S + 1)xD, and learns F·F·D weights and D
/// biases. See [`layer::Depthwise`](crate::layer::Depthwise).
pub struct depthwise {
    /// F, width x height of each filter: `3x3`.
    pub size: [usize; 2],
    /// S. As for [`conv`].
    pub stride: [usize; 2],
    /// P. As for [`conv`].
    pub pad: Padding,
    /// As for [`conv`].
    pub fit: Fit,
    /// As for [`conv`].
    pub dilation: [usize; 2],
    /// As for [`conv`].
    pub bias: bool,
}

/// `conv_transpose(12, 4x4, stride = 2, pad = 1)`: a conv's way back, which makes a volume larger.
///
/// Reads WxHxD, writes (S·(W − 1) + F − 2P)x(S·(H − 1) + F − 2P)xK, that of which a conv would make
/// WxH, and learns F·F·D·K weights and K biases. See
/// [`layer::ConvTranspose`](crate::layer::ConvTranspose).
pub struct conv_transpose {
    /// K, how many filters: the depth of the output.
    pub filters: usize,
    /// F, width x height of each filter: `4x4`.
    pub size: [usize; 2],
    /// S, how far apart two neighbours stamp their filters. 1 by default.
    pub stride: [usize; 2],
    /// P, how much of the border is cut off. None by default.
    pub pad: Padding,
}

/// `batch_norm`, `batch_norm(eps = 1e-3)`: each depth slice to a learned mean and deviation.
///
/// The trainer normalises by the mean and variance of the batch, inference by running statistics: see
/// [`layer::BatchNorm`](crate::layer::BatchNorm). Learns γ and β, 2·D numbers, and stores as many
/// statistics.
pub struct batch_norm {
    /// ε, added to the variance: between 0 and 1, 1e-5 by default.
    pub eps: f64,
}

/// `lrn(5, alpha = 1e-4, beta = 0.75, k = 1.0)`: x / (k + alpha/size · Σ x²)^beta, the sum over
/// neighbouring depth slices.
///
/// alpha is divided by the size, as in Caffe and PyTorch and not as in the paper. See
/// [`layer::Lrn`](crate::layer::Lrn).
pub struct lrn {
    /// n, how many neighbours are seen.
    pub size: usize,
    /// α, 1e-4 by default.
    pub alpha: f64,
    /// β, 0.75 by default.
    pub beta: f64,
    /// k, 1 by default.
    pub k: f64,
}

/// `max_pool(2x2, stride = 2)`: the largest of each window, depth slice by depth slice.
///
/// See [`layer::MaxPool`](crate::layer::MaxPool).
pub struct max_pool {
    /// F, width x height of the window: `2x2`.
    pub size: [usize; 2],
    /// S, how far the window steps. Its size by default: windows do not overlap.
    pub stride: [usize; 2],
    /// P, around the input: padding is never the largest. As for [`conv`].
    pub pad: Padding,
    /// As for [`conv`].
    pub fit: Fit,
}

/// `avg_pool(2x2, stride = 2)`: the mean of each window, depth slice by depth slice.
///
/// See [`layer::AvgPool`](crate::layer::AvgPool).
pub struct avg_pool {
    /// F, width x height of the window: `2x2`.
    pub size: [usize; 2],
    /// S, how far the window steps. Its size by default: windows do not overlap.
    pub stride: [usize; 2],
    /// P, around the input: padding does not count in the mean. As for [`conv`].
    pub pad: Padding,
    /// As for [`conv`].
    pub fit: Fit,
}

/// `global_avg_pool`: the mean of each depth slice; writes 1x1xD.
///
/// See [`layer::GlobalAvgPool`](crate::layer::GlobalAvgPool).
pub struct global_avg_pool;

/// `global_max_pool`: the largest of each depth slice; writes 1x1xD.
///
/// See [`layer::GlobalMaxPool`](crate::layer::GlobalMaxPool).
pub struct global_max_pool;

/// `fc(10)`: neurons that each see the whole volume; writes 1x1xK.
///
/// Reads a volume of any shape (there is nothing to flatten), and learns W·H·D·K weights and K
/// biases. See [`layer::Fc`](crate::layer::Fc).
pub struct fc {
    /// K, how many neurons: class scores, or hidden ones.
    pub filters: usize,
}

/// `relu`: max(0, v). See [`layer::Relu`](crate::layer::Relu).
pub struct relu;

/// `relu6`: min(max(0, v), 6). See [`layer::Relu6`](crate::layer::Relu6).
pub struct relu6;

/// `leaky_relu(0.01)`: v, or slope·v below zero. See [`layer::LeakyRelu`](crate::layer::LeakyRelu).
pub struct leaky_relu {
    /// The slope below zero, between 0 and 1; 0.01 by default.
    pub slope: f64,
}

/// `sigmoid`: 1/(1 + e^−v). See [`layer::Sigmoid`](crate::layer::Sigmoid).
pub struct sigmoid;

/// `tanh`: the hyperbolic tangent. See [`layer::Tanh`](crate::layer::Tanh).
pub struct tanh;

/// `hard_swish`: v·relu6(v + 3)/6. See [`layer::HardSwish`](crate::layer::HardSwish).
pub struct hard_swish;

/// `softmax`: scores become probabilities. See [`layer::Softmax`](crate::layer::Softmax).
pub struct softmax;

/// `dropout(0.5)`: in training, neurons are silent at random; at inference, nothing.
///
/// See [`layer::Dropout`](crate::layer::Dropout).
pub struct dropout {
    /// The probability of dropping a value, from 0 to below 1.
    pub rate: f64,
}

/// `flatten`: nothing at all, for [`fc`] reads a volume of any shape.
pub struct flatten;

/// `layer(path::To::SHIFT, 32x32x12)`, `layer(path::To::Scale<T, 12>, 32x32x12)`: a layer written by
/// hand.
///
/// It implements [`Layer`](crate::Layer) for the volume before it and the one that is said here. A
/// value has no parameters. A type, which stands with its `<…>`, does: it becomes a field, `T` is the
/// network's scalar, and [`parameters!`](crate::parameters!) declares it.
pub struct layer {
    /// A value: a unit struct, or a `const` of a type with hyperparameters. Or a type.
    pub what: (),
    /// Width x height x depth of what it writes.
    pub volume: [usize; 3],
}

/// `network(path::To::Stem)`: a network that another `convnet!` declares, as a block of this one.
///
/// It reads the volume that it was declared for, becomes a field, and learns with the rest. Its arena
/// lies in this one's while it works, and its tape from forward to backward.
pub struct network {
    /// The struct: `path::To::Stem`, without its scalar, which is this network's.
    pub what: (),
}

/// `residual { conv(64, 3x3, pad = 1), relu, conv(64, 3x3, pad = 1) }`: what its layers make of the
/// volume, plus the volume itself.
///
/// Both must be equal in width, height and depth. Where the layers change them, a [`shortcut`]
/// changes the volume, too.
pub struct residual;

/// `shortcut { conv(128, 1x1, stride = 2, fit = crop) }`: the last line of a [`residual`], the
/// layers on its other way.
pub struct shortcut;

/// `concat { [conv(64, 1x1)], [conv(96, 1x1), conv(128, 3x3, pad = 1)], [] }`: the volume goes
/// through each branch, and what they write lies side by side in the depth.
///
/// Their width and height must be equal. An empty branch hands the volume on.
/// See [`layer::Concat`](crate::layer::Concat).
pub struct concat;

/// `#[budget(ram = 64 KiB, flash = 256 KiB)]`: what a network may take. More is an error.
pub struct budget {
    /// For the planned activations of inference, in `f32`: `64 KiB`.
    pub ram: usize,
    /// For the parameters, in `f32`: `256 KiB`.
    pub flash: usize,
}
