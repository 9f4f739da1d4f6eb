//! # Networks: what `convnet!` writes, as traits
//!
//! Anyone can write a network by hand against these; `tests/by_hand.rs` does.

use bytemuck::Zeroable;

use crate::graph::Node;
use crate::memory::moments::MomentsMut;
use crate::plan::LayerInfo;
use crate::{AnyVolume, Parameters, Seen};
use observe::{Lines, Watch, see};

#[cfg(feature = "alloc")]
mod draft;
#[doc(hidden)]
pub mod join;
#[doc(hidden)]
pub mod named;
#[doc(hidden)]
pub mod nested;
#[doc(hidden)]
pub mod observe;
mod output_of;
pub mod prepare;
pub mod summary;
#[doc(hidden)]
pub mod unfit;

#[cfg(feature = "alloc")]
pub use draft::{Draft, Planned, Unfit};
pub use output_of::OutputOf;

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
    const GRAPH: &'static [Node<'static>] = &[];
    /// Of a network that ends in `outputs { … }`, where each lies in the vector that [`Output`](Self::Output) is then;
    /// of any other, nothing.
    const OUTPUTS: &'static [OutputOf<'static>] = &[];
    /// Whether its arena is [planned](crate::plan::Options::row_by_row) so that pools ask for rows as they
    /// need them: `#[row_by_row]`.
    const ROW_BY_ROW: bool = false;

    /// The scores of `input`.
    fn forward<'a>(&self, input: &Self::Input, arena: &'a mut Self::Arena) -> &'a Self::Output;

    /// [`forward`](Self::forward), in which `look` is shown what each layer writes, with its line of the table, as
    /// soon as it is there: the volume after it may lie in the same memory. The volumes are not copied, and
    /// nothing is allocated.
    ///
    /// What `#[row_by_row]` never computes as a whole, a `conv` in front of a pool, is not shown. Of a network
    /// that is written by hand, the scores are.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::Network;
    ///
    /// /// The layer that answers most strongly.
    /// fn loudest<N: Network<Scalar = f32>>(net: &N, image: &N::Input, arena: &mut N::Arena) -> &'static str {
    ///     let mut loudest = ("", 0.0);
    ///     net.observe(image, arena, |layer, volume| {
    ///         let [_, most] = volume.range();
    ///         if most > loudest.1 {
    ///             loudest = (layer.name, most);
    ///         }
    ///     });
    ///     loudest.0
    /// }
    /// ```
    fn observe<'a>(
        &self,
        input: &Self::Input,
        arena: &'a mut Self::Arena,
        look: impl FnMut(&'static LayerInfo<'static>, Seen<'_, Self::Scalar>),
    ) -> &'a Self::Output {
        self.forward_watched(input, arena, &mut Lines(Self::LAYERS, look))
    }

    /// What `observe` is made of.
    #[doc(hidden)]
    fn forward_watched<'a>(
        &self,
        input: &Self::Input,
        arena: &'a mut Self::Arena,
        watch: &mut impl Watch<Self::Scalar>,
    ) -> &'a Self::Output {
        let scores = self.forward(input, arena);
        see(watch, Self::LAYERS.len().saturating_sub(1), scores);
        scores
    }
}

/// A network that learns.
pub trait Trainable: Network {
    /// What backward needs of forward, and backward's own scratch, planned together.
    type Tape: Zeroable + Send + 'static;

    /// How many segments a pass has: one, and one more for each place where images wait for others: at a
    /// `batch_norm`, where those of a batch [exchange moments](crate::moments), and at an `fc` with so
    /// many filters that they are better [read for several images at once](Self::forward_fc).
    const SEGMENTS: usize = 1;

    /// Whether all images of a batch wait for each other: whether there is a `batch_norm`.
    const EXCHANGES: bool = Self::SEGMENTS > 1;

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

    /// [`forward_train`](Self::forward_train), in which `look` is shown what each layer writes, as in
    /// [`observe`](Network::observe).
    fn observe_train<'a>(
        &self,
        input: &Self::Input,
        tape: &'a mut Self::Tape,
        seed: u64,
        look: impl FnMut(&'static LayerInfo<'static>, Seen<'_, Self::Scalar>),
    ) -> &'a Self::Output
    where
        Self: Sized,
    {
        forward_segments(self, input, tape, seed, &mut Lines(Self::LAYERS, look))
    }

    /// [`backward`](Self::backward), in which `look` is shown the gradient of the loss on what each layer has
    /// written, the last layer first. One that only serves `d_input` is not there if that is not asked for.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::Trainable;
    ///
    /// /// The largest gradient on each layer's volume, the last layer first.
    /// fn gradients<N: Trainable<Scalar = f32>>(
    ///     net: &N,
    ///     image: &N::Input,
    ///     tape: &mut N::Tape,
    ///     d_scores: &N::Output,
    ///     gradient: &mut N,
    /// ) -> Vec<(&'static str, f32)> {
    ///     let mut found = Vec::new();
    ///     net.forward_train(image, tape, 0);
    ///     net.observe_backward(image, None, tape, d_scores, gradient, |layer, gradient| {
    ///         let [least, most] = gradient.range();
    ///         found.push((layer.name, most.max(-least)));
    ///     });
    ///     found
    /// }
    /// ```
    fn observe_backward(
        &self,
        input: &Self::Input,
        d_input: Option<&mut Self::Input>,
        tape: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
        look: impl FnMut(&'static LayerInfo<'static>, Seen<'_, Self::Scalar>),
    ) where
        Self: Sized,
    {
        let watch = &mut Lines(Self::LAYERS, look);
        backward_segments(self, input, d_input, tape, d_output, gradient, watch);
    }

    /// What `observe_train` is made of: [`forward_segment`](Self::forward_segment), watched.
    #[doc(hidden)]
    fn forward_segment_watched<'a>(
        &self,
        segment: usize,
        input: &Self::Input,
        tape: &'a mut Self::Tape,
        seed: u64,
        watch: &mut impl Watch<Self::Scalar>,
    ) -> &'a Self::Output {
        let scores = self.forward_segment(segment, input, tape, seed);
        if segment + 1 == Self::SEGMENTS {
            see(watch, Self::LAYERS.len().saturating_sub(1), scores);
        }
        scores
    }

    /// What `observe_backward` is made of: [`backward_segment`](Self::backward_segment), watched.
    #[doc(hidden)]
    #[expect(
        clippy::too_many_arguments,
        reason = "those of `backward_segment`, and who looks"
    )]
    fn backward_segment_watched(
        &self,
        segment: usize,
        input: &Self::Input,
        d_input: Option<&mut Self::Input>,
        tape: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
        watch: &mut impl Watch<Self::Scalar>,
    ) {
        if segment + 1 == Self::SEGMENTS {
            see(watch, Self::LAYERS.len().saturating_sub(1), d_output);
        }
        self.backward_segment(segment, input, d_input, tape, d_output, gradient);
    }

    /// A segment of [`forward_train`]. A batch, each image on a tape of its own, runs segments 0 to
    /// [`SEGMENTS`] − 1. Between segments p and p + 1 comes [`forward_fc`], and then the [`moments`] of the
    /// tapes at p are [merged](crate::moments::merge_forward). After the last segment the scores are
    /// there.
    ///
    /// [`forward_train`]: Self::forward_train
    /// [`SEGMENTS`]: Self::SEGMENTS
    /// [`forward_fc`]: Self::forward_fc
    /// [`moments`]: Self::moments
    fn forward_segment<'a>(
        &self,
        segment: usize,
        input: &Self::Input,
        tape: &'a mut Self::Tape,
        seed: u64,
    ) -> &'a Self::Output {
        let _ = segment;
        self.forward_train(input, tape, seed)
    }

    /// A segment of [`backward`](Self::backward): the last segment first. Between segments p + 1 and p comes
    /// [`backward_fc`](Self::backward_fc), and then the moments at p are
    /// [merged](crate::moments::merge_backward).
    fn backward_segment(
        &self,
        segment: usize,
        input: &Self::Input,
        d_input: Option<&mut Self::Input>,
        tape: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
    ) {
        let _ = segment;
        self.backward(input, d_input, tape, d_output, gradient);
    }

    /// The `fc` between segments `segment` and `segment` + 1, for as many images as are at hand; nothing where a
    /// `batch_norm` stands there. Each image is computed as if it were alone.
    fn forward_fc(&self, segment: usize, images: &mut [Forward<'_, Self>])
    where
        Self: Sized,
    {
        let _ = (segment, images);
    }

    /// The way back through it: adds the gradients of all images, in this order.
    fn backward_fc(&self, segment: usize, images: &mut [Backward<'_, Self>], gradient: &mut Self)
    where
        Self: Sized,
    {
        let _ = (segment, images, gradient);
    }

    /// Once which segment of backward is done, and the [`fc`](Self::backward_fc) before it, the gradient of
    /// `TENSORS[index]` is whole: after the last one to run, 0, unless it is said otherwise.
    fn whole_after(index: usize) -> usize {
        let _ = index;
        0
    }

    /// What this tape's image tells the others, and is told, between segments `segment` and `segment` + 1.
    fn moments(tape: &mut Self::Tape, segment: usize) -> MomentsMut<'_, Self::Scalar> {
        let _ = (tape, segment);
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

/// All segments of [`Trainable::forward_train`], one after another.
pub fn forward_segments<'a, N: Trainable>(
    net: &N,
    input: &N::Input,
    tape: &'a mut N::Tape,
    seed: u64,
    watch: &mut impl Watch<N::Scalar>,
) -> &'a N::Output {
    for segment in 1..N::SEGMENTS {
        net.forward_segment_watched(segment - 1, input, tape, seed, watch);
        net.forward_fc(segment - 1, &mut [Forward { input, tape }]);
    }
    net.forward_segment_watched(N::SEGMENTS.saturating_sub(1), input, tape, seed, watch)
}

/// All segments of [`Trainable::backward`], the last one first.
pub fn backward_segments<N: Trainable>(
    net: &N,
    input: &N::Input,
    mut d_input: Option<&mut N::Input>,
    tape: &mut N::Tape,
    d_output: &N::Output,
    gradient: &mut N,
    watch: &mut impl Watch<N::Scalar>,
) {
    for segment in (0..N::SEGMENTS).rev() {
        let d_input = d_input.as_deref_mut();
        nested::backward_segment(
            net, segment, input, d_input, tape, d_output, gradient, watch,
        );
    }
}

/// The arena of a network: `Arena<Cifar>`.
pub type Arena<N> = <N as Network>::Arena;

/// The tape of a network: `Tape<Cifar>`.
pub type Tape<N> = <N as Trainable>::Tape;
