//! A network that is a layer of another: how it is seen and called.

use super::observe::Watch;
use super::prepare::{Image, Packing, Prepare, Reader};
use super::{Backward, Forward, Network, Trainable};
use crate::graph::{Nested, Node};
use crate::plan::LayerInfo;
use crate::{AnyVolume, Parameters, Rng, Tensor};

/// A network that can be a layer of another: every one that `convnet!` declares.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no network",
    label = "is not declared by `convnet!`"
)]
pub trait Nestable:
    Network<Arena: AnyVolume<Scalar = <Self as Parameters>::Scalar>>
    + Trainable<Tape: AnyVolume<Scalar = <Self as Parameters>::Scalar>>
    + Prepare<Overlay: AnyVolume<Scalar = <Self as Parameters>::Scalar>>
{
}

#[diagnostic::do_not_recommend]
impl<N> Nestable for N where
    N: Network<Arena: AnyVolume<Scalar = <N as Parameters>::Scalar>>
        + Trainable<Tape: AnyVolume<Scalar = <N as Parameters>::Scalar>>
        + Prepare<Overlay: AnyVolume<Scalar = <N as Parameters>::Scalar>>
{
}

/// What there is to know of a network.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Its numbers.
    pub nested: Nested,
    /// Its tensors.
    pub tensors: &'static [Tensor],
    /// Its table.
    pub layers: &'static [LayerInfo<'static>],
    /// What is packed.
    pub packing: &'static [Packing],
    /// Its graph.
    pub graph: &'static [Node<'static>],
}

impl Facts {
    /// Those of `N`.
    #[must_use]
    pub const fn of<N: Nestable>() -> Self {
        Self {
            nested: Nested::of::<N>(),
            tensors: N::TENSORS,
            layers: N::LAYERS,
            packing: N::PACKING,
            graph: N::GRAPH,
        }
    }
}

fn copy<V: AnyVolume>(to: &mut V, from: &V) {
    let pairs = to.as_mut_slice().iter_mut().zip(from.as_slice());
    pairs.for_each(|(to, &from)| *to = from);
}

/// `y` = the scores of `x`.
pub fn forward<N: Network>(
    net: &N,
    x: &N::Input,
    arena: &mut N::Arena,
    y: &mut N::Output,
    mut watch: impl Watch<N::Scalar>,
) {
    let scores = net.forward_watched(x, arena, &mut watch);
    copy(y, scores);
}

/// The same in training, segment by segment, each with the `fc` that stands behind it; a stream of the
/// seed decides what is dropped.
pub fn forward_segment<N: Trainable>(
    net: &N,
    segment: usize,
    x: &N::Input,
    tape: &mut N::Tape,
    (seed, stream): (u64, u64),
    y: &mut N::Output,
    mut watch: impl Watch<N::Scalar>,
) {
    let seed = Rng::stream(seed, stream).next_u64();
    let scores = net.forward_segment_watched(segment, x, tape, seed, &mut watch);
    if segment + 1 == N::SEGMENTS {
        copy(y, scores);
    } else {
        net.forward_fc(segment, &mut [Forward { input: x, tape }]);
    }
}

/// The way back: a segment, and the `fc` that stands before it.
#[expect(
    clippy::too_many_arguments,
    reason = "those of the trait, and who looks"
)]
pub fn backward_segment<N: Trainable>(
    net: &N,
    segment: usize,
    input: &N::Input,
    mut d_input: Option<&mut N::Input>,
    tape: &mut N::Tape,
    d_output: &N::Output,
    gradient: &mut N,
    watch: &mut impl Watch<N::Scalar>,
) {
    let dx = d_input.as_deref_mut();
    net.backward_segment_watched(segment, input, dx, tape, d_output, gradient, watch);
    if let Some(before) = segment.checked_sub(1) {
        let image = Backward {
            input,
            d_input,
            tape,
            d_output,
        };
        net.backward_fc(before, &mut [image], gradient);
    }
}

/// The same with what was packed.
pub fn forward_packed<N: Nestable>(
    net: &N,
    packed: &mut Reader<'_, N::Scalar>,
    x: &N::Input,
    arena: &mut N::Overlay,
    y: &mut N::Output,
) {
    let image = Image {
        input: x,
        memory: &mut *arena,
    };
    net.forward_packed(packed, &mut [image]);
    copy(y, N::output_in(arena));
}

impl Nested {
    /// The network `N` as a layer of another.
    #[must_use]
    pub const fn of<N: Trainable + Prepare>() -> Self {
        let (mut parameters, mut fixed, mut macs, mut layer) = (0, 0, 0, 0);
        while layer < N::LAYERS.len() {
            parameters += N::LAYERS[layer].parameters;
            fixed += N::LAYERS[layer].fixed;
            macs += N::LAYERS[layer].macs;
            layer += 1;
        }
        let last = &N::LAYERS[N::LAYERS.len() - 1];
        Self {
            input: N::Input::SHAPE,
            output: N::Output::SHAPE,
            parameters,
            fixed,
            macs,
            field: last.field,
            jump: last.jump,
            arena: in_f32::<N, N::Arena>(),
            prepared: in_f32::<N, N::Overlay>(),
            tape: in_f32::<N, N::Tape>(),
            stands_in: N::STANDS_IN,
        }
    }
}

/// How many bytes a memory `M` of the network `N` would take if its scalar were `f32`: so networks are
/// planned.
const fn in_f32<N: Network, M>() -> usize {
    size_of::<M>().div_ceil(size_of::<N::Scalar>()) * size_of::<f32>()
}
