//! Prepared networks on the heap.

use core::fmt::{self, Display, Formatter};
use core::ops::Deref;

use alloc::boxed::Box;

use super::{Choices, Packer, Prepare, Reader, memory};
use crate::Parameters;
use crate::overlay::Lines;

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
    winograd: bool,
    packed: Lines<Scalar<P>>,
}

/// What [`Prepared::forward`] works in: the arena, and the scratch that the layers share.
pub struct PreparedArena<N: Prepare> {
    arena: Box<N::Overlay>,
    scratch: Lines<N::Scalar>,
}

type Scalar<P> = <<P as Deref>::Target as Parameters>::Scalar;

impl<P: Deref<Target: Prepare>> Prepared<P> {
    /// For speed: Winograd's algorithm where it pays.
    #[must_use]
    pub fn new(network: P) -> Self {
        Self::with(network, true)
    }

    /// For precision: direct sums only.
    #[must_use]
    pub fn without_winograd(network: P) -> Self {
        Self::with(network, false)
    }

    fn with(network: P, winograd: bool) -> Self {
        let [scalars, _] = memory(P::Target::PACKING, winograd);
        let mut packed = Lines::zeroed(scalars);
        network.pack(&mut Packer::new(winograd, packed.as_mut_slice()));
        Self {
            network,
            winograd,
            packed,
        }
    }

    /// Memory for [`forward`](Self::forward).
    #[must_use]
    pub fn arena(&self) -> PreparedArena<P::Target> {
        let [_, scratch] = memory(P::Target::PACKING, self.winograd);
        PreparedArena {
            arena: bytemuck::zeroed_box(),
            scratch: Lines::zeroed(scratch),
        }
    }

    /// The scores of `input`; allocates nothing.
    pub fn forward<'a>(
        &self,
        input: &<P::Target as crate::Network>::Input,
        arena: &'a mut PreparedArena<P::Target>,
    ) -> &'a <P::Target as crate::Network>::Output {
        let PreparedArena { arena, scratch } = arena;
        let packed = self.packed.as_slice();
        let mut reader = Reader::new(self.winograd, packed, scratch.as_mut_slice());
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
            winograd: self.winograd,
        };
        choices.fmt(f)
    }
}
