//! # Networks: what `convnet!` writes, as traits
//!
//! Anyone can write a network by hand against these; `tests/by_hand.rs` does.

use bytemuck::Zeroable;

use crate::plan::LayerInfo;
use crate::{AnyVolume, Parameters};

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

    /// The scores of `input`.
    fn forward<'a>(&self, input: &Self::Input, arena: &'a mut Self::Arena) -> &'a Self::Output;
}

/// A network that learns.
pub trait Trainable: Network {
    /// What backward needs of forward, and backward's own scratch, planned together.
    type Tape: Zeroable + Send + 'static;

    /// Forward as in training: dropout drops, and what backward needs stays on the tape. `seed`
    /// decides what is dropped.
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
}

/// The arena of a network: `Arena<Cifar>`.
pub type Arena<N> = <N as Network>::Arena;

/// The tape of a network: `Tape<Cifar>`.
pub type Tape<N> = <N as Trainable>::Tape;
