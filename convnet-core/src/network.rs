//! # Networks: what `convnet!` writes, as traits
//!
//! Anyone can write a network by hand against these; `tests/by_hand.rs` does.

use bytemuck::Zeroable;

use crate::graph::Node;
use crate::layer::moments::MomentsMut;
use crate::network::prepare::Prepare;
use crate::plan::{LayerInfo, Nested};
use crate::{AnyVolume, Parameters, Tensor};

#[doc(hidden)]
pub mod join;
pub mod prepare;
pub mod summary;

/// A network that infers: an image and its own parameters in, scores out, in memory that the
/// caller lends.
pub trait Network: Parameters {
    /// The image.
    type Input: AnyVolume<Scalar = Self::Scalar>;
    /// What the last layer writes: the scores.
    type Output: AnyVolume<Scalar = Self::Scalar>;
    /// The planned activations.
    type Arena: Zeroable + Send + 'static;
    /// The declaration as a table, a line each.
    const LAYERS: &'static [LayerInfo<'static>];
    /// The declaration as a graph: every hyperparameter, every edge. Of a network that is written by hand,
    /// nothing.
    const GRAPH: &'static [Node] = &[];

    /// The scores of `input`.
    fn forward<'a>(&self, input: &Self::Input, arena: &'a mut Self::Arena) -> &'a Self::Output;
}

/// A network that learns.
pub trait Trainable: Network {
    /// What backward needs of forward, and backward's own scratch, planned together.
    type Tape: Zeroable + Send + 'static;

    /// How many parts a pass has: one, and one more for each place where images meet: at a
    /// `batch_norm`, where those of a batch [exchange moments](crate::moments), and at an `fc` with so
    /// many filters that they are better [read for several images at once](Self::forward_fc).
    const PARTS: usize = 1;

    /// Whether *all* images of a batch meet: whether there is a `batch_norm`.
    const EXCHANGES: bool = Self::PARTS > 1;

    /// Forward as in training: dropout drops, and what backward needs stays on the tape. `seed`
    /// decides what is dropped. The image is alone: `batch_norm` normalises by the running
    /// statistics.
    fn forward_train<'a>(
        &self,
        input: &Self::Input,
        tape: &'a mut Self::Tape,
        seed: u64,
    ) -> &'a Self::Output;

    /// Adds the gradient of the loss on the parameters to `gradient`, and writes the one on the
    /// image to `d_input` if it is asked for. The tape must come from [`forward_train`] with the
    /// same `input`, and is used up: its activations are overwritten.
    ///
    /// [`forward_train`]: Self::forward_train
    fn backward(
        &self,
        input: &Self::Input,
        d_input: Option<&mut Self::Input>,
        tape: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
    );

    /// A part of [`forward_train`]. A batch, each image on a tape of its own, runs parts 0 to
    /// [`PARTS`] − 1. Between parts p and p + 1 comes [`forward_fc`], and then the [`moments`] of the
    /// tapes at p are [merged](crate::moments::merge_forward). After the last part the scores are
    /// there.
    ///
    /// [`forward_train`]: Self::forward_train
    /// [`PARTS`]: Self::PARTS
    /// [`forward_fc`]: Self::forward_fc
    /// [`moments`]: Self::moments
    fn forward_part<'a>(
        &self,
        part: usize,
        input: &Self::Input,
        tape: &'a mut Self::Tape,
        seed: u64,
    ) -> &'a Self::Output {
        let _ = part;
        self.forward_train(input, tape, seed)
    }

    /// A part of [`backward`](Self::backward): the last part first. Between parts p + 1 and p comes
    /// [`backward_fc`](Self::backward_fc), and then the moments at p are
    /// [merged](crate::moments::merge_backward).
    fn backward_part(
        &self,
        part: usize,
        input: &Self::Input,
        d_input: Option<&mut Self::Input>,
        tape: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
    ) {
        let _ = part;
        self.backward(input, d_input, tape, d_output, gradient);
    }

    /// The `fc` between parts `part` and `part` + 1, for as many images as are at hand; nothing where a
    /// `batch_norm` stands there. Each image is computed as if it were alone.
    fn forward_fc(&self, part: usize, images: &mut [Forward<'_, Self>])
    where
        Self: Sized,
    {
        let _ = (part, images);
    }

    /// The way back through it: adds the gradients of all images, in this order.
    fn backward_fc(&self, part: usize, images: &mut [Backward<'_, Self>], gradient: &mut Self)
    where
        Self: Sized,
    {
        let _ = (part, images, gradient);
    }

    /// What this tape's image tells the others, and is told, between parts `part` and `part` + 1.
    fn moments(tape: &mut Self::Tape, part: usize) -> MomentsMut<'_, Self::Scalar> {
        let _ = (tape, part);
        MomentsMut::none()
    }
}

/// An image at an `fc`, on its way forward.
#[derive(Debug)]
pub struct Forward<'a, N: Trainable> {
    /// The image.
    pub input: &'a N::Input,
    /// Its tape.
    pub tape: &'a mut N::Tape,
}

/// An image at an `fc`, on its way back.
#[derive(Debug)]
pub struct Backward<'a, N: Trainable> {
    /// The image.
    pub input: &'a N::Input,
    /// Where the gradient on it is to be written, if it is asked for.
    pub d_input: Option<&'a mut N::Input>,
    /// Its tape.
    pub tape: &'a mut N::Tape,
    /// The gradient on the scores.
    pub d_output: &'a N::Output,
}

/// All parts of [`Trainable::forward_train`], one after another.
pub fn forward_parts<'a, N: Trainable>(
    net: &N,
    input: &N::Input,
    tape: &'a mut N::Tape,
    seed: u64,
) -> &'a N::Output {
    for part in 1..N::PARTS {
        net.forward_part(part - 1, input, tape, seed);
        net.forward_fc(part - 1, &mut [Forward { input, tape }]);
    }
    net.forward_part(N::PARTS.saturating_sub(1), input, tape, seed)
}

/// All parts of [`Trainable::backward`], the last one first.
pub fn backward_parts<N: Trainable>(
    net: &N,
    input: &N::Input,
    mut d_input: Option<&mut N::Input>,
    tape: &mut N::Tape,
    d_output: &N::Output,
    gradient: &mut N,
) {
    for part in (0..N::PARTS).rev() {
        let d_input = d_input.as_deref_mut();
        inside::backward_part(net, part, input, d_input, tape, d_output, gradient);
    }
}

/// The arena of a network: `Arena<Cifar>`.
pub type Arena<N> = <N as Network>::Arena;

/// The tape of a network: `Tape<Cifar>`.
pub type Tape<N> = <N as Trainable>::Tape;

/// A network that can be a layer of another: every one that `convnet!` declares.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no network",
    label = "is not declared by `convnet!`"
)]
pub trait Inside:
    Network<Arena: AnyVolume<Scalar = <Self as Parameters>::Scalar>>
    + Trainable<Tape: AnyVolume<Scalar = <Self as Parameters>::Scalar>>
    + Prepare<Overlay: AnyVolume<Scalar = <Self as Parameters>::Scalar>>
{
}

#[diagnostic::do_not_recommend]
impl<N> Inside for N where
    N: Network<Arena: AnyVolume<Scalar = <N as Parameters>::Scalar>>
        + Trainable<Tape: AnyVolume<Scalar = <N as Parameters>::Scalar>>
        + Prepare<Overlay: AnyVolume<Scalar = <N as Parameters>::Scalar>>
{
}

#[doc(hidden)]
pub mod unfit;

/// How a network that is a layer of another is seen and called.
#[doc(hidden)]
pub mod inside {
    use super::{
        AnyVolume, Backward, Forward, Inside, LayerInfo, Nested, Network, Node, Tensor, Trainable,
    };
    use crate::Rng;
    use crate::network::prepare::{Image, Packing, Reader};

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
        pub graph: &'static [Node],
    }

    /// All of it. The only place where a declaration asks whether it is a network: what is none is one
    /// error.
    #[must_use]
    pub const fn facts<N: Inside>() -> Facts {
        Facts {
            nested: Nested::of::<N>(),
            tensors: N::TENSORS,
            layers: N::LAYERS,
            packing: N::PACKING,
            graph: N::GRAPH,
        }
    }

    /// `y` = the scores of `x`.
    pub fn forward<N: Network>(net: &N, x: &N::Input, arena: &mut N::Arena, y: &mut N::Output) {
        let scores = net.forward(x, arena);
        y.as_mut_slice().copy_from_slice(scores.as_slice());
    }

    /// The same in training, part by part, each with the `fc` that stands behind it; a stream of the
    /// seed decides what is dropped.
    pub fn forward_part<N: Trainable>(
        net: &N,
        part: usize,
        x: &N::Input,
        tape: &mut N::Tape,
        (seed, stream): (u64, u64),
        y: &mut N::Output,
    ) {
        let seed = Rng::stream(seed, stream).next_u64();
        let scores = net.forward_part(part, x, tape, seed);
        if part + 1 == N::PARTS {
            y.as_mut_slice().copy_from_slice(scores.as_slice());
        } else {
            net.forward_fc(part, &mut [Forward { input: x, tape }]);
        }
    }

    /// The way back: a part, and the `fc` that stands before it.
    pub fn backward_part<N: Trainable>(
        net: &N,
        part: usize,
        input: &N::Input,
        mut d_input: Option<&mut N::Input>,
        tape: &mut N::Tape,
        d_output: &N::Output,
        gradient: &mut N,
    ) {
        let dx = d_input.as_deref_mut();
        net.backward_part(part, input, dx, tape, d_output, gradient);
        if let Some(before) = part.checked_sub(1) {
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
    pub fn forward_packed<N: Inside>(
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
        y.as_mut_slice()
            .copy_from_slice(N::output_in(arena).as_slice());
    }
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
        }
    }
}

/// How many bytes a memory `M` of the network `N` would take if its scalar were `f32`: so networks are
/// planned.
const fn in_f32<N: Network, M>() -> usize {
    size_of::<M>().div_ceil(size_of::<N::Scalar>()) * size_of::<f32>()
}
