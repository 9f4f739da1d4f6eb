//! Prepared networks on the heap.

use core::fmt::{self, Display, Formatter};
use core::ops::Deref;

use alloc::boxed::Box;

use super::{Image, Packer, Precision, Prepare, Reader, Selection, Table, memory};
use crate::memory::heap::zeroed_box;
use crate::memory::overlay::Lines;
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
    selection: Selection,
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
            arena: zeroed_box(),
            scratch: Lines::zeroed(scratch),
        }
    }
}

impl<P: Deref<Target: Prepare>> Prepared<P> {
    /// For speed: Winograd's algorithm where it pays.
    #[must_use]
    pub fn new(network: P) -> Self {
        Self::with(network, Precision::default())
    }

    /// For precision: direct sums only.
    #[must_use]
    pub fn without_winograd(network: P) -> Self {
        Self::with(network, Precision::HIGHEST)
    }

    /// With what is given up for speed.
    #[must_use]
    pub fn with(network: P, precision: Precision) -> Self {
        let selection = Selection::of(precision);
        let [scalars, _] = memory(P::Target::PACKING, selection);
        let mut packed = Lines::zeroed(scalars);
        network.pack(&mut Packer::new(selection, packed.as_mut_slice()));
        Self {
            network,
            selection,
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

    /// The scores of many images, on all threads of the current rayon pool, and to the bit those of
    /// [`forward`](Self::forward).
    ///
    /// No layer is shared: each thread has images of its own, one arena and one scratch. Where there is
    /// a large `fc`, of 2¹⁷ filters or of twice as many as there are activations, it takes up to 8 images
    /// at a time, each in an arena of its own, up to the `fc` and at once through it: the filters are read
    /// once for all of them, and there are 8 arenas a thread. (An `fc` inside a network that is a layer
    /// takes one image at a time.)
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// # #[cfg(feature = "rayon")] {
    /// use convnet::prepare::{Prepare, Prepared};
    /// use convnet::Network;
    ///
    /// fn outputs<N: Prepare + Sync>(net: &N, images: &[N::Input]) -> Vec<Box<N::Output>> {
    ///     Prepared::new(net).forward_batch(images)
    /// }
    /// # }
    /// ```
    #[cfg(feature = "rayon")]
    pub fn forward_batch<I>(&self, inputs: &[I]) -> Vec<Box<Output<P>>>
    where
        I: core::borrow::Borrow<Input<P>> + Sync,
        P: Sync,
        P::Target: Sync,
    {
        use std::sync::Mutex;

        use crate::AnyVolume;
        use crate::kernel::{MICRO_BATCH, tasks};

        let (count, threads) = (inputs.len(), rayon::current_num_threads());
        let at_once = if P::Target::MICRO_BATCHES {
            MICRO_BATCH
        } else {
            1
        };
        // As many go together on each thread, and the last ones are not alone.
        let groups = count.div_ceil(at_once).next_multiple_of(threads);
        let at_once = count.div_ceil(groups.max(1)).max(1);
        let memory = || {
            let arenas = (0..at_once).map(|_| zeroed_box());
            (arenas.collect::<Vec<_>>(), Lines::zeroed(self.scratch(1)))
        };
        let run = |(arenas, scratch): &mut (Vec<Box<_>>, Lines<_>), inputs: &[I]| {
            let images = arenas.iter_mut().zip(inputs).map(|(memory, input)| Image {
                input: input.borrow(),
                memory: &mut **memory,
            });
            self.run(&mut images.collect::<Vec<_>>(), 1, scratch);
            let arenas = arenas.iter().zip(inputs);
            let outputs = arenas.map(|(memory, _)| {
                let mut output: Box<Output<P>> = bytemuck::zeroed_box();
                let scores = P::Target::output_in(memory).as_slice();
                output.as_mut_slice().copy_from_slice(scores);
                output
            });
            outputs.collect::<Vec<_>>()
        };
        // One of each thread, for all that it does here: new memory is slow where it is first touched.
        let of_threads: Vec<_> = (0..threads).map(|_| Mutex::new(None)).collect();
        let mut outputs: Vec<_> = inputs
            .chunks(at_once)
            .map(|part| (part, Vec::new()))
            .collect();
        tasks::each(&mut outputs, count, |_, (inputs, outputs)| {
            let own = &of_threads[rayon::current_thread_index().unwrap_or(0)];
            *outputs = match own.try_lock() {
                Ok(mut own) => run(own.get_or_insert_with(memory), inputs),
                // A layer of one's own may wait for rayon, which has more images for the thread meanwhile.
                Err(_) => run(&mut memory(), inputs),
            };
        });
        outputs
            .into_iter()
            .flat_map(|(_, outputs)| outputs)
            .collect()
    }

    /// Memory for [`forward`](Self::forward).
    #[must_use]
    pub fn arena(&self) -> PreparedArena<P::Target> {
        PreparedArena::new(self.scratch(self.threads))
    }

    /// Scalars that so many threads work in.
    fn scratch(&self, threads: usize) -> usize {
        let [_, scratch] = memory(P::Target::PACKING, self.selection);
        threads * scratch
    }

    /// The scores of `input`; allocates nothing.
    pub fn forward<'a>(
        &self,
        input: &Input<P>,
        arena: &'a mut PreparedArena<P::Target>,
    ) -> &'a Output<P> {
        let PreparedArena { arena, scratch } = arena;
        let image = Image {
            input,
            memory: &mut **arena,
        };
        self.run(&mut [image], self.threads, scratch);
        P::Target::output_in(arena)
    }

    fn run(
        &self,
        images: &mut [Image<'_, P::Target>],
        threads: usize,
        scratch: &mut Lines<Scalar<P>>,
    ) {
        let packed = self.packed.as_slice();
        let reader = Reader::new(self.selection, packed, scratch.as_mut_slice());
        let mut reader = reader.on_threads(threads);
        self.network.forward_packed(&mut reader, images);
    }

    /// The network as it was.
    pub const fn network(&self) -> &P {
        &self.network
    }
}

/// Which algorithm each layer uses, and the memory that it takes.
impl<P: Deref<Target: Prepare>> Display for Prepared<P> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let table = Table {
            packing: P::Target::PACKING,
            selection: self.selection,
        };
        table.fmt(f)
    }
}
