//! # Prepared networks: weights repacked once, for the algorithm that each shape chose
//!
//! ```text
//!  net: filters as declared ──pack, once──▶ strips, or Winograd's U   one piece of memory
//!       batch_norm ──fold──▶ into them               │
//!  image ─────────────────── forward ◀──────────────┘   each relu fused into the store before it
//! ```
//!
//! [`Prepared::new`] takes a network, or borrows it: what has no better form is read from there.
//! Which layers are computed together the [plan](mod@crate::plan) says, and which algorithm is
//! chosen depends on the sizes alone; so both are known when the program is compiled. `Display`
//! shows them.
//!
//! Read [`Group`] first, then [`Packer`] and [`Reader`].
//!
//! **Invariant:** a kernel that declines leaves the layer to [`Layer::forward`], on the parameters
//! as declared: preparing changes speed and rounding only.

use core::fmt::{self, Display, Formatter};

use crate::kernel::{Algorithm, Clamp, Packed, Sizes};
use crate::overlay::LINE;
use crate::{AnyVolume, Layer, Network, Real};

#[cfg(feature = "alloc")]
mod boxed;
mod group;
mod pooled;

#[cfg(feature = "alloc")]
pub use boxed::{Prepared, PreparedArena};
pub use group::{Group, Norm, Repack};
pub use pooled::{Dense, Pool};

/// How one layer is computed, and the memory that this takes, in scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How.
    pub algorithm: Algorithm,
    /// The packed filters, in whole lines, and the bias if a `batch_norm` is folded into both.
    pub packed: usize,
    /// While it works.
    pub scratch: usize,
}

impl Choice {
    /// The filters as they are declared.
    pub const DECLARED: Self = Self {
        algorithm: Algorithm::Direct,
        packed: 0,
        scratch: 0,
    };

    /// What [`Algorithm`] says, rounded up to lines.
    #[must_use]
    pub const fn new(sizes: &Sizes, winograd: bool) -> Self {
        let algorithm = Algorithm::choose(sizes, winograd);
        Self {
            algorithm,
            packed: algorithm.packed(sizes).next_multiple_of(LINE),
            scratch: algorithm.scratch(sizes).next_multiple_of(LINE),
        }
    }
}

/// The choices of a group, by the name of its first layer: a line of [`Prepare::PACKING`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// The layer.
    pub name: &'static str,
    /// Without Winograd's algorithm, and with it.
    pub choices: [Choice; 2],
}

/// The packing of the layer `L` between `X` and `Y`, with the `N` behind it.
#[must_use]
pub const fn packing<X, Y, L, N>(name: &'static str) -> Packing
where
    X: AnyVolume,
    Y: AnyVolume<Scalar = X::Scalar>,
    L: Repack<X, Y>,
    N: Norm<X::Scalar>,
{
    Packing {
        name,
        choices: [
            group::choice::<X, Y, L, N>(0),
            group::choice::<X, Y, L, N>(1),
        ],
    }
}

/// A network whose weights can be repacked; `convnet!` writes it.
pub trait Prepare: Network {
    /// As the network's arena, but only what is between groups lies there.
    type Overlay: bytemuck::Zeroable + Send + Sync;

    /// The groups, in the order of declaration.
    const PACKING: &'static [Packing];

    /// Hands every group to `packer`, in that order.
    fn pack(&self, packer: &mut Packer<'_, Self::Scalar>);

    /// As [`Network::forward`], with what was packed.
    fn forward_packed<'a>(
        &self,
        packed: &mut Reader<'_, Self::Scalar>,
        input: &Self::Input,
        memory: &'a mut Self::Overlay,
    ) -> &'a Self::Output;
}

/// Packs one group after the other.
#[derive(Debug)]
pub struct Packer<'a, T> {
    winograd: bool,
    rest: &'a mut [T],
}

impl<'a, T: Real> Packer<'a, T> {
    /// Into `memory`, which has room for all.
    pub fn new(winograd: bool, memory: &'a mut [T]) -> Self {
        Self {
            winograd,
            rest: memory,
        }
    }

    /// The next group.
    pub fn pack<X, Y, L, N>(&mut self, group: &Group<'_, L, N>)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        let choice = group::choice::<X, Y, L, N>(usize::from(self.winograd));
        let rest = core::mem::take(&mut self.rest);
        if let Some((packed, rest)) = rest.split_at_mut_checked(choice.packed) {
            group.pack::<X, Y>(choice, packed);
            self.rest = rest;
        }
    }
}

/// Reads back what a [`Packer`] wrote.
#[derive(Debug)]
pub struct Reader<'a, T> {
    winograd: bool,
    threads: usize,
    rest: &'a [T],
    scratch: &'a mut [T],
}

impl<'a, T: Real> Reader<'a, T> {
    /// From `memory`, working in `scratch`.
    pub fn new(winograd: bool, memory: &'a [T], scratch: &'a mut [T]) -> Self {
        Self {
            winograd,
            threads: 1,
            rest: memory,
            scratch,
        }
    }

    /// On so many threads at most, where `scratch` has room for all.
    #[must_use]
    pub fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// `y` = the next group of `x`.
    pub fn forward<X, Y, L, N>(&mut self, group: &Group<'_, L, N>, x: &X, y: &mut Y)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        let from = self.packed::<X, Y, L, N>(group);
        if !L::forward_packed(&from, x.as_slice(), self.scratch, y.as_mut_slice()) {
            group.filters.forward(x, y);
            group.finish(y.as_mut_slice());
        }
        self.skip::<X, Y, L, N>();
    }

    /// The filters of the next group.
    fn packed<'b, X, Y, L, N>(&self, group: &Group<'b, L, N>) -> Packed<'b, T>
    where
        'a: 'b,
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        let choice = group::choice::<X, Y, L, N>(usize::from(self.winograd));
        let packed = self.rest.get(..choice.packed).unwrap_or_default();
        group.read::<X, Y>(choice, self.threads, packed)
    }

    fn skip<X, Y, L, N>(&mut self)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        let choice = group::choice::<X, Y, L, N>(usize::from(self.winograd));
        self.rest = self.rest.get(choice.packed..).unwrap_or_default();
    }
}

/// Scalars of all packed filters, and of the scratch that the layers share.
#[must_use]
pub const fn memory(packing: &[Packing], winograd: bool) -> [usize; 2] {
    let (mut packed, mut scratch, mut i) = (0, 0, 0);
    while i < packing.len() {
        let choice = packing[i].choices[winograd as usize];
        packed += choice.packed;
        if choice.scratch > scratch {
            scratch = choice.scratch;
        }
        i += 1;
    }
    [packed, scratch]
}

/// The choices as a table, a line a layer.
#[derive(Clone, Copy, Debug)]
pub struct Choices<'a> {
    /// Of which network.
    pub packing: &'a [Packing],
    /// Whether Winograd's algorithm may be chosen.
    pub winograd: bool,
}

impl Display for Choices<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = self.packing.iter().map(|layer| layer.name.len()).max();
        let width = width.unwrap_or(0);
        for layer in self.packing {
            let choice = layer.choices[usize::from(self.winograd)];
            let bytes = choice.packed * size_of::<f32>();
            writeln!(
                f,
                "{:<width$}  {:<12} {bytes:>11} bytes",
                layer.name, choice.algorithm
            )?;
        }
        let [packed, scratch] = memory(self.packing, self.winograd).map(|n| n * size_of::<f32>());
        write!(f, "f32: packed {packed} bytes, scratch {scratch}")
    }
}
