//! # Layers: one file a layer, forward and backward side by side
//!
//! ```text
//!    x ──▶ forward  ──▶ y        x : Volume [H][W][D]     activations
//!    │                           y : Volume [HO][WO][K]
//!    └─────(kept)──┐             dx, dy: gradients of the loss, same shapes
//!   dx ◀── backward ◀── dy
//! ```
//!
//! Read [`Conv`] first: it is the one with all the geometry. A [`Layer`] reads one volume and
//! writes another; an [`Activation`] works in place, and a layer that is [`InPlace`] does so at
//! inference only. The fast loops live one floor down, in
//! [`kernel`](crate::kernel); nothing in this module is `unsafe`.
//!
//! **Invariant:** a layer owns its parameters and nothing else. Activations belong to the arena or
//! the tape.
// An error: a layer that is not exported here, or whose word `graph::Op` does not list.
#![deny(dead_code)]

pub(crate) mod affine;
pub(crate) mod avg_pool;
pub(crate) mod batch_norm;
mod bent;
mod between;
pub(crate) mod by_hand;
pub(crate) mod channel_shuffle;
pub(crate) mod clamp;
pub(crate) mod concat;
pub(crate) mod conv;
pub(crate) mod conv_transpose;
pub(crate) mod crop;
pub(crate) mod depth_to_space;
pub(crate) mod depthwise;
pub(crate) mod dropout;
pub(crate) mod elu;
pub(crate) mod fc;
pub(crate) mod flatten;
pub(crate) mod gelu;
pub(crate) mod gelu_tanh;
pub(crate) mod global_avg_pool;
pub(crate) mod global_max_pool;
pub(crate) mod group_norm;
pub(crate) mod hard_sigmoid;
pub(crate) mod hard_swish;
pub(crate) mod layer_norm;
pub(crate) mod layer_norm_volume;
pub(crate) mod leaky_relu;
pub(crate) mod log_softmax;
pub(crate) mod lrn;
pub(crate) mod max_pool;
pub(crate) mod nested;
pub(crate) mod normalize;
pub(crate) mod outputs;
pub(crate) mod pad;
pub(crate) mod pad_depth;
mod plain;
pub(crate) mod prelu;
pub(crate) mod relu;
pub(crate) mod relu6;
#[doc(hidden)]
pub mod repack;
pub(crate) mod residual;
mod row_by_row;
pub(crate) mod rows;
pub(crate) mod scale;
pub(crate) mod sigmoid;
pub(crate) mod silu;
pub(crate) mod slices;
mod slide;
pub(crate) mod softmax;
pub(crate) mod softplus;
pub(crate) mod space_to_depth;
pub(crate) mod tanh;
pub(crate) mod upsample;
pub(crate) mod upsample_aligned;
pub(crate) mod upsample_bilinear;
pub(crate) mod word;

pub use affine::Affine;
pub use avg_pool::AvgPool;
pub use batch_norm::BatchNorm;
#[doc(hidden)]
pub use by_hand::{Call, by_hand};
pub use channel_shuffle::ChannelShuffle;
pub use clamp::Clamp;
pub use concat::Concat;
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use crop::Crop;
pub use depth_to_space::DepthToSpace;
pub use depthwise::Depthwise;
pub use dropout::Dropout;
pub use elu::Elu;
pub use fc::Fc;
pub(crate) use fc::in_batches;
pub use gelu::Gelu;
pub use gelu_tanh::GeluTanh;
pub use global_avg_pool::GlobalAvgPool;
pub use global_max_pool::GlobalMaxPool;
pub use group_norm::GroupNorm;
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use layer_norm::LayerNorm;
pub use layer_norm_volume::LayerNormVolume;
pub use leaky_relu::LeakyRelu;
pub use log_softmax::LogSoftmax;
pub use lrn::Lrn;
pub use max_pool::MaxPool;
pub use normalize::Normalize;
pub use outputs::Outputs;
pub use pad::Pad;
pub use pad_depth::PadDepth;
pub use prelu::Prelu;
pub use relu::Relu;
pub use relu6::Relu6;
pub use row_by_row::RowByRow;
pub use scale::Scale;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use slices::Slices;
pub use slide::{Geometry, Slide};
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use space_to_depth::SpaceToDepth;
pub use tanh::Tanh;
pub use upsample::Upsample;
pub use upsample_aligned::UpsampleAligned;
pub use upsample_bilinear::UpsampleBilinear;

/// A transformation of one volume into another: `x` in, `y` out.
///
/// A layer's type holds its hyperparameters; `X` and `Y` are the volumes that it can sit between.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer that reads `{X}` and writes `{Y}`",
    label = "does not implement `Layer` for the volume before it and the one that it is said to write",
    note = "a volume is `Volume<T, height, width, depth>`"
)]
pub trait Layer<X, Y> {
    /// Multiply-adds of one forward pass, for the table of a network in which a type with parameters
    /// is named: 0 unless it says otherwise. (What the layers of this crate take,
    /// [`plan`](mod@crate::plan) counts.)
    const MACS: u64 = 0;

    /// Writes every scalar of `y`.
    fn forward(&self, x: &X, y: &mut Y);

    /// Writes the gradient on `x` to `dx` and *adds* the one on the parameters to `gradient`.
    fn backward(&self, x: &X, dx: &mut X, dy: &Y, gradient: &mut Self);

    /// As [`backward`](Self::backward) where nobody asks for the gradient on `x`: the first layer
    /// of a network saves half of its work so.
    fn backward_parameters(&self, x: &X, dy: &Y, gradient: &mut Self);
}

/// A transformation of a volume in place.
pub trait Activation<V> {
    /// `v` becomes its activation.
    fn forward(&self, v: &mut V);

    /// Turns the gradient on the output into the one on the input; `y` is what forward left.
    fn backward(&self, y: &V, dv: &mut V);
}

/// A layer that writes a volume as large as it reads, and reads its input again in backward. So in
/// training it writes another volume, and at inference, where nobody looks back, the same.
pub trait InPlace<V>: Layer<V, V> {
    /// `v` becomes what [`forward`](Layer::forward) would make of it.
    fn forward_in_place(&self, v: &mut V);
}
