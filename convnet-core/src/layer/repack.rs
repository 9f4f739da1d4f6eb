//! What a layer offers to a prepared network: its filters, to be packed for the algorithm that fits its
//! sizes, and what can be computed together with them.

use super::Layer;
use crate::kernel::cache::{L2, scalars};
use crate::kernel::{self, Algorithm, FcForward, Packed, Sizes, Width};
use crate::memory::overlay::LINE_OF_F32;
use crate::{AnyVolume, Real};

/// A layer with filters between two volumes: a convolution, or one in disguise.
pub trait Repack<X: AnyVolume<Scalar: Real>, Y: AnyVolume<Scalar = X::Scalar>>:
    Layer<X, Y>
{
    /// The numbers of the convolution that it is: an `fc` has filters as large as its input, a depthwise
    /// one as many groups as depths.
    const SIZES: Sizes;

    /// Scalars of its filters.
    const FILTERS: usize;

    /// How it is computed.
    const CHOICES: Choices = Choices::DECLARED;

    /// The filters and the bias, as declared.
    fn declared(&self) -> [&[X::Scalar]; 2];

    /// Packs `filters`, each times its `scale`, if there is one. `false` if there is no kernel that
    /// would read them. Where there is no algorithm to choose, they stay in their order.
    fn pack(
        algorithm: Algorithm,
        filters: &[X::Scalar],
        scale: &[X::Scalar],
        packed: &mut [X::Scalar],
    ) -> bool {
        let _ = algorithm;
        kernel::scale_filters(filters, scale, packed)
    }

    /// As [`Layer::forward`], with packed filters. `false` if nothing was done.
    fn forward_packed(
        from: &Packed<'_, X::Scalar>,
        x: &[X::Scalar],
        scratch: &mut [X::Scalar],
        y: &mut [X::Scalar],
    ) -> bool;

    /// The same for a few images, x and y of each, where the filters are better read once for all of
    /// them.
    fn forward_packed_batch(
        from: &Packed<'_, X::Scalar>,
        images: FcForward<'_, X::Scalar>,
    ) -> bool {
        let _ = (from, images);
        false
    }
}

/// What can be folded into the filters before it: a `batch_norm`, or nothing, which is `()`.
pub trait Norm<T> {
    /// Whether there is something to fold.
    const FOLDS: bool;

    /// By what number `k` of a depth column is multiplied, and what is added then.
    fn scale_and_shift(&self, k: usize) -> [T; 2];

    /// Depth columns become what the factors make of them.
    fn normalize(&self, v: &mut [T]);
}

impl<T: Real> Norm<T> for () {
    const FOLDS: bool = false;

    fn scale_and_shift(&self, _: usize) -> [T; 2] {
        [T::of(1.0), T::ZERO]
    }

    fn normalize(&self, _: &mut [T]) {}
}

/// A max pool between two volumes, as a kernel takes it.
pub trait Pool<X, Y>: Layer<X, Y> {
    /// Its numbers.
    const SIZES: Sizes;
}

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

/// The choice at the highest precision and the fastest, for vectors of each [`Width`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices(pub [[Choice; 2]; Width::ALL.len()]);

impl Choices {
    /// The filters as they are declared.
    pub const DECLARED: Self = Self::everywhere([Choice::DECLARED; 2]);

    /// The same for vectors of any width.
    #[must_use]
    pub const fn everywhere(choices: [Choice; 2]) -> Self {
        Self([choices; Width::ALL.len()])
    }

    /// A convolution's.
    #[must_use]
    pub const fn of_conv(sizes: &Sizes) -> Self {
        let (mut all, mut i) = (Self::DECLARED, 0);
        while i < all.0.len() {
            let width = Width::ALL[i];
            all.0[i] = [
                Choice::new(sizes, width, false),
                Choice::new(sizes, width, true),
            ];
            i += 1;
        }
        all
    }

    /// Those for vectors of such a width.
    #[must_use]
    pub const fn at(&self, width: Width) -> [Choice; 2] {
        self.0[width as usize]
    }
}

impl Choice {
    /// The filters as they are declared.
    pub const DECLARED: Self = Self {
        algorithm: Algorithm::Direct,
        packed: 0,
        scratch: 0,
    };

    /// The fastest [`Algorithm`], or the fastest that is a direct sum.
    #[must_use]
    pub const fn new(sizes: &Sizes, width: Width, winograd: bool) -> Self {
        Self::of(Algorithm::choose(sizes, width, winograd), sizes)
    }

    /// The filters of an `fc` in bfloat16, if they are so many that reading them takes the time: more than
    /// the second-level cache holds.
    #[must_use]
    pub const fn bfloat16(sizes: &Sizes) -> Self {
        let ([h, w, d], [.., k]) = (sizes.x, sizes.y);
        match h * w * d * k >= scalars::<f32>(L2) {
            true => Self::of(Algorithm::Bfloat16, sizes),
            false => Self::DECLARED,
        }
    }

    /// What the algorithm says, rounded up to lines.
    const fn of(algorithm: Algorithm, sizes: &Sizes) -> Self {
        Self {
            algorithm,
            packed: algorithm.packed(sizes).next_multiple_of(LINE_OF_F32),
            scratch: algorithm.scratch(sizes).next_multiple_of(LINE_OF_F32),
        }
    }
}
