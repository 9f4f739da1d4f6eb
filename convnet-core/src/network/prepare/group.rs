//! Filters and what follows them, as one.

use crate::kernel::{Algorithm, Clamp, Packed};
use crate::layer::repack::{Choice, Choices, Norm, Repack};
use crate::memory::overlay::LINE_OF_F32;
use crate::{AnyVolume, Real};

/// A layer with filters, and what is computed with it: for a prepared network what a
/// [`plan::Group`](crate::plan::Group) is for the plan.
#[derive(Debug)]
pub struct Group<'a, L, N> {
    /// The layer.
    pub filters: &'a L,
    /// The `batch_norm` after it, or `()`.
    pub norm: &'a N,
    /// What comes last.
    pub clamp: Clamp,
}

/// How the group may be computed: as the layer says, and with room for what is folded into it.
pub(super) const fn choices<X, Y, L, N>() -> Choices
where
    X: AnyVolume<Scalar: Real>,
    Y: AnyVolume<Scalar = X::Scalar>,
    L: Repack<X, Y>,
    N: Norm<X::Scalar>,
{
    let (mut choices, mut i) = (L::CHOICES, 0);
    while N::FOLDS && i < 2 * choices.0.len() {
        let choice = &mut choices.0[i / 2][i % 2];
        if matches!(choice.algorithm, Algorithm::Direct) {
            choice.packed = L::FILTERS.next_multiple_of(LINE_OF_F32);
        }
        choice.packed += Y::SHAPE[2].next_multiple_of(LINE_OF_F32);
        i += 1;
    }
    choices
}

impl<'a, L, N> Group<'a, L, N> {
    /// Writes the packed filters to `packed`, and the bias behind them if something is folded.
    pub(super) fn pack<X, Y>(&self, choice: Choice, packed: &mut [X::Scalar])
    where
        X: AnyVolume<Scalar: Real>,
        Y: AnyVolume<Scalar = X::Scalar>,
        L: Repack<X, Y>,
        N: Norm<X::Scalar>,
    {
        if packed.is_empty() {
            return;
        }
        let [filters, bias] = self.filters.declared();
        let (to, folded) = split_mut(Self::parts::<X, Y>(choice), packed);
        for (k, scale) in folded.iter_mut().enumerate() {
            [*scale, _] = self.norm.scale_and_shift(k);
        }
        L::pack(choice.algorithm, filters, folded, to);
        for ((k, to), &bias) in folded.iter_mut().enumerate().zip(bias) {
            let [scale, shift] = self.norm.scale_and_shift(k);
            *to = scale * bias + shift;
        }
    }

    /// What was written.
    pub(super) fn read<'b, X, Y>(
        &self,
        choice: Choice,
        threads: usize,
        packed: &'b [X::Scalar],
    ) -> Packed<'b, X::Scalar>
    where
        'a: 'b,
        X: AnyVolume<Scalar: Real>,
        Y: AnyVolume<Scalar = X::Scalar>,
        L: Repack<X, Y>,
        N: Norm<X::Scalar>,
    {
        let [filters, bias] = self.filters.declared();
        let [len, at, k] = Self::parts::<X, Y>(choice);
        Packed {
            sizes: const { &L::SIZES },
            algorithm: choice.algorithm,
            packed: match packed {
                [] => filters,
                packed => packed.get(..len).unwrap_or_default(),
            },
            bias: match N::FOLDS {
                true => packed.get(at..at + k).unwrap_or_default(),
                false => bias,
            },
            onto: false,
            clamp: self.clamp,
            threads,
        }
    }

    /// What follows the filters, of what they wrote.
    pub(super) fn finish<T>(&self, v: &mut [T])
    where
        T: Real,
        N: Norm<T>,
    {
        self.norm.normalize(v);
        self.clamp.apply(v);
    }

    /// How many scalars the packed filters are; where the bias lies behind them, and how many
    /// scalars that is, 0 if nothing is folded.
    const fn parts<X, Y>(choice: Choice) -> [usize; 3]
    where
        X: AnyVolume<Scalar: Real>,
        Y: AnyVolume<Scalar = X::Scalar>,
        L: Repack<X, Y>,
        N: Norm<X::Scalar>,
    {
        let (k, at) = match N::FOLDS {
            true => (
                Y::SHAPE[2],
                choice.packed - Y::SHAPE[2].next_multiple_of(LINE_OF_F32),
            ),
            false => (0, choice.packed),
        };
        match choice.algorithm {
            Algorithm::Direct => [L::FILTERS, at, k],
            algorithm => [algorithm.packed(&L::SIZES), at, k],
        }
    }
}

/// The filters, and the bias.
fn split_mut<T>([len, at, k]: [usize; 3], packed: &mut [T]) -> (&mut [T], &mut [T]) {
    let (filters, bias) = packed.split_at_mut_checked(at).unwrap_or_default();
    (
        filters.get_mut(..len).unwrap_or_default(),
        bias.get_mut(..k).unwrap_or_default(),
    )
}
