//! # Prepared networks: weights repacked once, for the algorithm that each shape chose
//!
//! ```text
//!  net: filters as declared ──pack, once──▶ panels, or Winograd's U   one piece of memory
//!       batch_norm ──fold──▶ into them               │
//!  image ─────────────────── forward ◀──────────────┘   each relu fused into the store before it, and each
//!                                                       sum of a residual into that of its last conv
//! ```
//!
//! [`Prepared::new`] takes a network, or borrows it: what has no better form is read from there.
//! Which layers are computed together the [plan](mod@crate::plan) says, and which algorithm is
//! chosen depends on the sizes and on a [`Precision`] alone; so both are known when the program is
//! compiled. `Display` shows them.
//!
//! Read [`Group`] first, then [`Packer`] and [`Reader`].
//!
//! **Invariant:** a kernel that declines leaves the layer to
//! [`Layer::forward`](crate::Layer::forward), on the parameters as declared: preparing changes speed and
//! rounding only.

use core::fmt::{self, Display, Formatter};

use crate::kernel::{Algorithm, Clamp, Packed, Width};
use crate::layer::in_batches;
use crate::layer::repack::{Choice, Choices, Norm, Repack};
use crate::memory::overlay::LINE_OF_F32;
use crate::{AnyVolume, Network, Real};

#[cfg(feature = "alloc")]
mod boxed;
mod group;
mod pooled;

#[cfg(feature = "alloc")]
pub use boxed::{Prepared, PreparedArena};
pub use group::Group;

/// Which rounding a prepared network may take for speed. Default: only what [`Winograd`] says.
///
/// ```
/// # use convnet_core as convnet;
/// # #[cfg(feature = "alloc")] {
/// use convnet::prepare::{Prepare, Prepared, Precision};
///
/// /// Half the bytes to read for each large `fc`.
/// fn halved<N: Prepare>(net: Box<N>) -> Prepared<Box<N>> {
///     let precision = Precision { bfloat16: true, ..Precision::default() };
///     Prepared::with(net, precision)
/// }
/// # }
/// ```
///
/// [`Winograd`]: crate::kernel::Winograd
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precision {
    /// Winograd's algorithm, where it pays.
    pub winograd: bool,
    /// The filters of each large `fc` rounded to bfloat16, to 8 significant bits, and sums in `f32`
    /// all the same. A score moves by 2⁻⁹·Σ|x·w| at most, if it is that `fc`'s.
    pub bfloat16: bool,
}

impl Precision {
    /// The highest precision: direct sums of the filters as declared.
    pub const HIGHEST: Self = Self {
        winograd: false,
        bfloat16: false,
    };

    /// Whatever is fastest.
    pub const FASTEST: Self = Self {
        winograd: true,
        bfloat16: true,
    };
}

impl Default for Precision {
    fn default() -> Self {
        Self {
            winograd: true,
            ..Self::HIGHEST
        }
    }
}

/// By what one of [`Repack::CHOICES`] is taken: how much it may round, and the vectors of this machine. What is
/// packed by one is read by the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What is given up for speed.
    pub precision: Precision,
    /// For which vectors.
    pub width: Width,
}

impl Selection {
    /// For the vectors of this machine.
    #[must_use]
    pub fn of(precision: Precision) -> Self {
        Self {
            precision,
            width: Width::default(),
        }
    }

    /// One of them.
    #[must_use]
    pub const fn choose(self, choices: &Choices) -> Choice {
        let [exact, fast] = choices.at(self.width);
        let taken = match fast.algorithm {
            Algorithm::Winograd(_) => self.precision.winograd,
            Algorithm::Bfloat16 => self.precision.bfloat16,
            _ => true,
        };
        if taken { fast } else { exact }
    }
}

/// The choices of a group, by the name of its first layer: a line of [`Prepare::PACKING`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// The layer.
    pub name: &'static str,
    /// How it may be computed.
    pub choices: Choices,
}

/// The packing of the layer `L` between `X` and `Y`, with the `N` behind it.
#[must_use]
pub const fn packing<X, Y, L, N>(name: &'static str) -> Packing
where
    X: AnyVolume<Scalar: Real>,
    Y: AnyVolume<Scalar = X::Scalar>,
    L: Repack<X, Y>,
    N: Norm<X::Scalar>,
{
    Packing {
        name,
        choices: group::choices::<X, Y, L, N>(),
    }
}

/// The same of a group that is [added](Reader::add) to a `Y`, with room for its sums where they cannot be.
#[must_use]
pub const fn packing_onto<X, Y, L, N>(name: &'static str) -> Packing
where
    X: AnyVolume<Scalar: Real>,
    Y: AnyVolume<Scalar = X::Scalar>,
    L: Repack<X, Y>,
    N: Norm<X::Scalar>,
{
    let mut packing = packing::<X, Y, L, N>(name);
    let (apart, mut i) = (sums::<Y>(), 0);
    while i < 2 * packing.choices.0.len() {
        let choice = &mut packing.choices.0[i / 2][i % 2];
        // By scalars that are no `f32` they never can, but then the algorithm needs no scratch.
        choice.scratch = match choice.algorithm.adds(&L::SIZES) {
            true if choice.scratch > apart => choice.scratch,
            true => apart,
            false => choice.scratch + apart,
        };
        i += 1;
    }
    packing
}

/// Scalars of a `Y`, in whole lines.
const fn sums<Y: AnyVolume>() -> usize {
    let [height, width, depth] = Y::SHAPE;
    (height * width * depth).next_multiple_of(LINE_OF_F32)
}

/// A network whose weights can be repacked; `convnet!` writes it.
pub trait Prepare: Network {
    /// As the network's arena, but only what is between groups lies there.
    type Overlay: bytemuck::Zeroable + Send + Sync;

    /// The groups, in the order of declaration.
    const PACKING: &'static [Packing];

    /// Whether there is an `fc` with so many filters that they are better read for
    /// [several images](crate::kernel::MICRO_BATCH) at once.
    const MICRO_BATCHES: bool = false;

    /// Hands every group to `packer`, in that order.
    fn pack(&self, packer: &mut Packer<'_, Self::Scalar>);

    /// As [`Network::forward`], with what was packed, for each of `images`: image by image, but all at
    /// once at a large `fc`. Each is computed as if it were alone, to the bit.
    fn forward_packed(&self, packed: &mut Reader<'_, Self::Scalar>, images: &mut [Image<'_, Self>]);

    /// Where [`forward_packed`](Self::forward_packed) leaves the scores.
    fn output_in(memory: &Self::Overlay) -> &Self::Output;
}

/// An image on its way through a prepared network.
#[derive(Debug)]
pub struct Image<'a, N: Prepare> {
    /// The image.
    pub input: &'a N::Input,
    /// What it is computed in.
    pub memory: &'a mut N::Overlay,
}

/// Packs one group after the other.
#[derive(Debug)]
pub struct Packer<'a, T> {
    selection: Selection,
    rest: &'a mut [T],
}

impl<'a, T: Real> Packer<'a, T> {
    /// Into `memory`, which has room for all.
    pub fn new(selection: Selection, memory: &'a mut [T]) -> Self {
        Self {
            selection,
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
        let choice = self
            .selection
            .choose(const { &group::choices::<X, Y, L, N>() });
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
    selection: Selection,
    threads: usize,
    rest: &'a [T],
    scratch: &'a mut [T],
}

impl<'a, T: Real> Reader<'a, T> {
    /// From `memory`, working in `scratch`.
    pub fn new(selection: Selection, memory: &'a [T], scratch: &'a mut [T]) -> Self {
        Self {
            selection,
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
        self.apply::<X, Y, L, N>(group, x, y);
        self.skip::<X, Y, L, N>();
    }

    /// `y` += the next group of `x` but for its clamp, and then that, of the sum.
    pub fn add<X, Y, L, N>(&mut self, group: &Group<'_, L, N>, x: &X, y: &mut Y)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        let from = Packed {
            onto: true,
            ..self.packed::<X, Y, L, N>(group)
        };
        if !L::forward_packed(&from, x.as_slice(), self.scratch, y.as_mut_slice()) {
            self.add_apart(group, &from, x, y);
        }
        self.skip::<X, Y, L, N>();
    }

    /// The same by a volume in between.
    fn add_apart<X, Y, L, N>(
        &mut self,
        group: &Group<'_, L, N>,
        from: &Packed<'_, T>,
        x: &X,
        y: &mut Y,
    ) where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        let alone = Packed {
            onto: false,
            clamp: Clamp::None,
            ..*from
        };
        let at = self.scratch.len().saturating_sub(sums::<Y>());
        let (scratch, sums) = self.scratch.split_at_mut_checked(at).unwrap_or_default();
        let sums = sums.get_mut(..y.as_slice().len()).unwrap_or_default();
        if !L::forward_packed(&alone, x.as_slice(), scratch, sums) {
            let kept = sums.iter_mut().zip(y.as_slice());
            kept.for_each(|(kept, &y)| *kept = y);
            group.filters.forward(x, y);
            group.norm.normalize(y.as_mut_slice());
        }
        let sums = y.as_mut_slice().iter_mut().zip(&*sums);
        sums.for_each(|(y, &sum)| *y += sum);
        group.clamp.apply(y.as_mut_slice());
    }

    /// Calls `run` for each image, each time before the same groups.
    pub fn each<I>(&mut self, images: &mut [I], mut run: impl FnMut(&mut Self, &mut I)) {
        let start = self.rest;
        for image in images {
            self.rest = start;
            run(self, image);
        }
    }

    /// As [`forward`](Self::forward), for pairs of x and y: filters that many images can share are read
    /// once for [`MICRO_BATCH`](crate::kernel::MICRO_BATCH) of them.
    pub fn forward_batch<'b, X, Y, L, N>(
        &mut self,
        group: &Group<'_, L, N>,
        images: impl Iterator<Item = (&'b X, &'b mut Y)>,
    ) where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        let from = self.packed::<X, Y, L, N>(group);
        in_batches(
            images,
            |batch| L::forward_packed_batch(&from, batch),
            |x, y| self.apply::<X, Y, L, N>(group, x, y),
        );
        self.skip::<X, Y, L, N>();
    }

    /// `y` = the next group of `x`, which stays the next.
    fn apply<X, Y, L, N>(&mut self, group: &Group<'_, L, N>, x: &X, y: &mut Y)
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
        let choice = self
            .selection
            .choose(const { &group::choices::<X, Y, L, N>() });
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
        let choice = self
            .selection
            .choose(const { &group::choices::<X, Y, L, N>() });
        self.rest = self.rest.get(choice.packed..).unwrap_or_default();
    }
}

/// Scalars of all packed filters, and of the scratch that the layers share.
#[must_use]
pub const fn memory(packing: &[Packing], selection: Selection) -> [usize; 2] {
    let (mut packed, mut scratch, mut i) = (0, 0, 0);
    while i < packing.len() {
        let choice = selection.choose(&packing[i].choices);
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
pub struct Table<'a> {
    /// Of which network.
    pub packing: &'a [Packing],
    /// Which of them.
    pub selection: Selection,
}

impl Display for Table<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = self.packing.iter().map(|layer| layer.name.len()).max();
        let width = width.unwrap_or(0);
        for layer in self.packing {
            let choice = self.selection.choose(&layer.choices);
            let bytes = choice.packed * size_of::<f32>();
            writeln!(
                f,
                "{:<width$}  {:<12} {bytes:>11} bytes",
                layer.name, choice.algorithm
            )?;
        }
        let [packed, scratch] = memory(self.packing, self.selection).map(|n| n * size_of::<f32>());
        write!(f, "f32: packed {packed} bytes, scratch {scratch}")
    }
}
