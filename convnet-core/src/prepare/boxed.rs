//! Prepared networks on the heap.

use core::fmt::{self, Display, Formatter};
use core::ops::Deref;

use alloc::boxed::Box;

use super::{Choices, Packer, Prepare, Reader, Trade, memory};
use crate::overlay::Lines;
use crate::{Network, Parameters};

/// A network, or a borrow of one, with its weights repacked.
///
/// `Prepared::new(net)` keeps a box; `Prepared::new(&*net)` borrows. Parameters must not change
/// behind its back (an `Arc` of atomics could): what was packed would stay as it was.
///
/// ```text
/// let fast = Prepared::new(Cifar::random(231));
/// let mut arena = fast.arena();
/// let scores = fast.forward(&image, &mut arena);
/// ```
pub struct Prepared<P: Deref<Target: Prepare>> {
    network: P,
    trade: Trade,
    threads: usize,
    packed: Lines<Scalar<P>>,
}

/// What [`Prepared::forward`] works in: the arena, and the scratch that the layers share.
pub struct PreparedArena<N: Prepare> {
    arena: Box<N::Overlay>,
    scratch: Lines<N::Scalar>,
}

type Scalar<P> = <<P as Deref>::Target as Parameters>::Scalar;
type Input<P> = <<P as Deref>::Target as Network>::Input;
type Output<P> = <<P as Deref>::Target as Network>::Output;

impl<N: Prepare> PreparedArena<N> {
    fn new(scratch: usize) -> Self {
        Self {
            arena: bytemuck::zeroed_box(),
            scratch: Lines::zeroed(scratch),
        }
    }
}

impl<P: Deref<Target: Prepare>> Prepared<P> {
    /// For speed: Winograd's algorithm where it pays.
    #[must_use]
    pub fn new(network: P) -> Self {
        Self::with(network, Trade::default())
    }

    /// For precision: direct sums only.
    #[must_use]
    pub fn without_winograd(network: P) -> Self {
        Self::with(network, Trade::NONE)
    }

    /// With what is given up for speed.
    #[must_use]
    pub fn with(network: P, trade: Trade) -> Self {
        let [scalars, _] = memory(P::Target::PACKING, trade);
        let mut packed = Lines::zeroed(scalars);
        network.pack(&mut Packer::new(trade, packed.as_mut_slice()));
        Self {
            network,
            trade,
            threads: 1,
            packed,
        }
    }

    /// Large layers are shared by all threads of the current rayon pool: rows of a `conv`, filters of an
    /// `fc`. The scores are the same to the bit.
    ///
    /// An [`arena`](Self::arena) made from now on has scratch for each thread. Inside of
    /// `ThreadPool::install` there are that pool's threads, and a network of small layers is served
    /// faster than from outside.
    #[cfg(feature = "rayon")]
    #[must_use]
    pub fn parallel(self) -> Self {
        Self {
            threads: rayon::current_num_threads(),
            ..self
        }
    }

    /// The scores of many images, on all threads of the current rayon pool: each of them works in an
    /// arena of its own, and no layer is shared.
    ///
    /// ```
    /// # #[cfg(feature = "rayon")] {
    /// use convnet_core::prepare::{Prepare, Prepared};
    /// use convnet_core::Network;
    ///
    /// fn outputs<N: Prepare + Sync>(net: &N, images: &[N::Input]) -> Vec<Box<N::Output>> {
    ///     Prepared::new(net).forward_batch(images)
    /// }
    /// # }
    /// ```
    #[cfg(feature = "rayon")]
    pub fn forward_batch<I>(&self, inputs: &[I]) -> alloc::vec::Vec<Box<Output<P>>>
    where
        I: core::borrow::Borrow<Input<P>> + Sync,
        P: Sync,
        P::Target: Sync,
    {
        use rayon::prelude::*;

        use crate::AnyVolume;

        let (threads, scratch) = (rayon::current_num_threads(), self.scratch(1));
        let inputs = inputs
            .par_iter()
            .with_min_len(inputs.len().div_ceil(4 * threads));
        let run = |arena: &mut PreparedArena<P::Target>, input: &I| {
            let scores = self.forward_on(1, input.borrow(), arena).as_slice();
            let mut output: Box<Output<P>> = bytemuck::zeroed_box();
            output.as_mut_slice().copy_from_slice(scores);
            output
        };
        inputs
            .map_init(|| PreparedArena::new(scratch), run)
            .collect()
    }

    /// Memory for [`forward`](Self::forward).
    #[must_use]
    pub fn arena(&self) -> PreparedArena<P::Target> {
        PreparedArena::new(self.scratch(self.threads))
    }

    /// Scalars that so many threads work in.
    fn scratch(&self, threads: usize) -> usize {
        let [_, scratch] = memory(P::Target::PACKING, self.trade);
        threads * scratch
    }

    /// The scores of `input`; allocates nothing.
    pub fn forward<'a>(
        &self,
        input: &Input<P>,
        arena: &'a mut PreparedArena<P::Target>,
    ) -> &'a Output<P> {
        self.forward_on(self.threads, input, arena)
    }

    fn forward_on<'a>(
        &self,
        threads: usize,
        input: &Input<P>,
        arena: &'a mut PreparedArena<P::Target>,
    ) -> &'a Output<P> {
        let PreparedArena { arena, scratch } = arena;
        let packed = self.packed.as_slice();
        let reader = Reader::new(self.trade, packed, scratch.as_mut_slice());
        let mut reader = reader.on_threads(threads);
        self.network.forward_packed(&mut reader, input, arena)
    }

    /// The network as it was.
    pub const fn network(&self) -> &P {
        &self.network
    }
}

/// Which algorithm each layer uses, and the memory that it takes.
impl<P: Deref<Target: Prepare>> Display for Prepared<P> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let choices = Choices {
            packing: P::Target::PACKING,
            trade: self.trade,
        };
        choices.fmt(f)
    }
}
