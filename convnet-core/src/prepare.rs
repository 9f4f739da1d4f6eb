//! # Prepared networks: weights repacked once, for the algorithm that each shape chose
//!
//! ```text
//!  net: filters as declared ──pack, once──▶ strips, or Winograd's U   one piece of memory
//!                                                   │
//!  image ─────────────────── forward ◀──────────────┘   each relu fused into the store before it
//! ```
//!
//! [`Prepared::new`] takes a network, or borrows it: what has no better form is read from there.
//! Which algorithm is chosen depends on the sizes alone, so it is known when the program is
//! compiled; `Display` shows it.
//!
//! **Invariant:** a kernel that declines leaves the layer to [`Layer::forward`], on the parameters
//! as declared: preparing changes speed and rounding only.

use core::fmt::{self, Display, Formatter};

use crate::kernel::Algorithm;
use crate::layer::Relu;
use crate::overlay::LINE;
use crate::{Activation, AnyVolume, Layer, Network, Real};

#[cfg(feature = "alloc")]
mod boxed;

#[cfg(feature = "alloc")]
pub use boxed::{Prepared, PreparedArena};

/// A layer with filters to repack between two volumes. Only `conv` has some.
pub trait Repack<X: AnyVolume, Y: AnyVolume<Scalar = X::Scalar>>: Layer<X, Y> {
    /// The choice without Winograd's algorithm, and with it.
    const CHOICES: [Choice; 2];

    /// Packs the filters. `false` if there is nothing to pack.
    fn pack(&self, choice: Choice, packed: &mut [X::Scalar]) -> bool;

    /// As [`Layer::forward`], and relu if asked for. `false` if nothing was done.
    fn forward_packed(
        &self,
        choice: Choice,
        packed: &[X::Scalar],
        relu: bool,
        x: &X,
        scratch: &mut [X::Scalar],
        y: &mut Y,
    ) -> bool;

    /// As [`forward_packed`](Self::forward_packed), and the `pool` of that, whose rows are written to
    /// the front of `y`. `false` if nothing was done.
    fn forward_pooled(
        &self,
        packed: (Choice, &[X::Scalar]),
        then: (bool, &crate::kernel::Sizes),
        x: &X,
        scratch: &mut [X::Scalar],
        y: &mut Y,
    ) -> bool;
}

/// A max pool between two volumes, as a kernel takes it.
pub trait Pool<X, Y>: Layer<X, Y> {
    /// Its numbers.
    const SIZES: crate::kernel::Sizes;
}

/// How one layer is computed, and the memory that this takes, in scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How.
    pub algorithm: Algorithm,
    /// The packed filters, in whole lines.
    pub packed: usize,
    /// While it works.
    pub scratch: usize,
}

impl Choice {
    /// What [`Algorithm`] says, rounded up to lines.
    #[must_use]
    pub const fn new(sizes: &crate::kernel::Sizes, winograd: bool) -> Self {
        let algorithm = Algorithm::choose(sizes, winograd);
        Self {
            algorithm,
            packed: algorithm.packed(sizes).next_multiple_of(LINE),
            scratch: algorithm.scratch(sizes).next_multiple_of(LINE),
        }
    }
}

/// The choices of a layer, by its name: a line of [`Prepare::PACKING`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// The layer.
    pub name: &'static str,
    /// Without Winograd's algorithm, and with it.
    pub choices: [Choice; 2],
}

/// The packing of the layer `L` between `X` and `Y`.
#[must_use]
pub const fn packing<L, X, Y>(name: &'static str) -> Packing
where
    X: AnyVolume,
    Y: AnyVolume<Scalar = X::Scalar>,
    L: Repack<X, Y>,
{
    Packing {
        name,
        choices: L::CHOICES,
    }
}

/// A network whose weights can be repacked; `convnet!` writes it.
pub trait Prepare: Network {
    /// The layers that have filters to repack, in the order of declaration.
    const PACKING: &'static [Packing];

    /// Hands every such layer to `packer`, in that order.
    fn pack(&self, packer: &mut Packer<'_, Self::Scalar>);

    /// As [`Network::forward`], with what was packed.
    fn forward_packed<'a>(
        &self,
        packed: &mut Reader<'_, Self::Scalar>,
        input: &Self::Input,
        memory: &'a mut Self::Arena,
    ) -> &'a Self::Output;
}

/// Packs one layer after the other.
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

    /// The next layer.
    pub fn pack<X, Y, L>(&mut self, layer: &L)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
    {
        let choice = L::CHOICES[usize::from(self.winograd)];
        let rest = core::mem::take(&mut self.rest);
        if let Some((packed, rest)) = rest.split_at_mut_checked(choice.packed) {
            layer.pack(choice, packed);
            self.rest = rest;
        }
    }
}

/// Reads back what a [`Packer`] wrote.
#[derive(Debug)]
pub struct Reader<'a, T> {
    winograd: bool,
    rest: &'a [T],
    scratch: &'a mut [T],
}

impl<'a, T: Real> Reader<'a, T> {
    /// From `memory`, working in `scratch`.
    pub fn new(winograd: bool, memory: &'a [T], scratch: &'a mut [T]) -> Self {
        Self {
            winograd,
            rest: memory,
            scratch,
        }
    }

    /// The next layer of `x`, relu if it is what follows, and the pool after that, row by row where
    /// there is a kernel for it. What is in `y` then is for [`Pooled::finish`].
    pub fn forward_pooled<X, Y, Z, L, P>(
        &mut self,
        layer: &L,
        relu: bool,
        x: &X,
        y: &mut Y,
    ) -> Pooled
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        Z: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        P: Pool<Y, Z>,
        Relu: Activation<Y>,
    {
        let choice = L::CHOICES[usize::from(self.winograd)];
        let packed = self.rest.get(..choice.packed).unwrap_or_default();
        let then = (relu, &const { P::SIZES });
        if layer.forward_pooled((choice, packed), then, x, self.scratch, y) {
            self.rest = self.rest.get(choice.packed..).unwrap_or_default();
            return Pooled(true);
        }
        self.forward(layer, relu, x, y);
        Pooled(false)
    }

    /// `y` = the next layer of `x`, and relu of that if it is what follows.
    pub fn forward<X, Y, L>(&mut self, layer: &L, relu: bool, x: &X, y: &mut Y)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        Relu: Activation<Y>,
    {
        let choice = L::CHOICES[usize::from(self.winograd)];
        let (packed, rest) = self
            .rest
            .split_at_checked(choice.packed)
            .unwrap_or_default();
        self.rest = rest;
        if !layer.forward_packed(choice, packed, relu, x, self.scratch, y) {
            layer.forward(x, y);
            if relu {
                Relu.forward(y);
            }
        }
    }
}

/// The second half of [`Reader::forward_pooled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Pooled(bool);

impl Pooled {
    /// Moves the pooled rows from the front of `y` to `z`, or pools `y`.
    pub fn finish<T, Y, Z, P>(self, pool: &P, y: &Y, z: &mut Z)
    where
        T: Real,
        Y: AnyVolume<Scalar = T>,
        Z: AnyVolume<Scalar = T>,
        P: Pool<Y, Z>,
    {
        let (from, to) = (y.as_slice(), z.as_mut_slice());
        match from.get(..to.len()) {
            Some(from) if self.0 => to.copy_from_slice(from),
            _ => pool.forward(y, z),
        }
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
