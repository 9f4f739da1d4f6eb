//! What a prepared layer calls: filters packed once, and read by the algorithm that they were packed
//! for.

use super::declared::{FcForward, fc_singles};
use super::f32::conv::{self, panels};
use super::f32::fc::{self, bfloat16};
use super::f32::{rows, winograd};
#[cfg(feature = "rayon")]
use super::parts;
use super::{Algorithm, Clamp, Done, Sizes, Winograd, fit};
use crate::Real;

/// A convolution whose filters were packed by [`conv_pack`], and what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a, T> {
    /// Its sizes.
    pub sizes: &'a Sizes,
    /// What the filters were packed for.
    pub algorithm: Algorithm,
    /// The packed filters: [`Algorithm::packed`] scalars; for [`Algorithm::Direct`] all filters,
    /// in the order in which they are declared.
    pub packed: &'a [T],
    /// One number a filter.
    pub bias: &'a [T],
    /// Whether the sums are added to what lies where they go, if the algorithm [can](Algorithm::adds); a
    /// convolution that cannot does nothing.
    pub onto: bool,
    /// What follows; NaN stays NaN.
    pub clamp: Clamp,
    /// On how many threads at most, if there are several (the feature `rayon`), and scratch for each.
    pub threads: usize,
}

/// Packs filters as `algorithm` needs them, each times its `scale`, of which there is one a filter or
/// none.
pub fn conv_pack<T: Real>(
    sizes: &Sizes,
    algorithm: Algorithm,
    filters: &[T],
    scale: &[T],
    packed: &mut [T],
) -> Done {
    as_f32!(filters, scale; packed);
    let no_scale_or_all = [0, sizes.y[2]].contains(&scale.len());
    if !algorithm.fits(sizes, packed) || filters.len() != sizes.filters() || !no_scale_or_all {
        return false;
    }
    let scale = Scale(scale);
    match algorithm {
        Algorithm::Direct => scale.pack(filters, packed),
        Algorithm::Panels => panels::pack(sizes, filters, scale, packed),
        Algorithm::Rows | Algorithm::Winograd(Winograd::Column) => {
            rows::pack(sizes, algorithm.band(), filters, scale, packed);
        }
        Algorithm::Winograd(winograd) => winograd::pack(sizes, winograd, filters, scale, packed),
        Algorithm::Bfloat16 => return false,
    }
    true
}

/// The filters of a layer that has no algorithms to choose from, each times its `scale`, of which there is
/// one a filter or none. The filters are the fastest axis.
pub fn scale_filters<T: Real>(filters: &[T], scale: &[T], packed: &mut [T]) -> Done {
    as_f32!(filters, scale; packed);
    let fits = packed.len() == filters.len()
        && (scale.is_empty() || filters.len().is_multiple_of(scale.len()));
    if fits {
        Scale(scale).pack(filters, packed);
    }
    fits
}

/// The filters of an `fc` of `k`, each times its `scale`, of which there is one a filter or none.
pub fn fc_pack<T: Real>(
    k: usize,
    algorithm: Algorithm,
    filters: &[T],
    scale: &[T],
    packed: &mut [T],
) -> Done {
    if k == 0 || !filters.len().is_multiple_of(k) || ![0, k].contains(&scale.len()) {
        return false;
    }
    if algorithm != Algorithm::Bfloat16 {
        return scale_filters(filters, scale, packed);
    }
    as_f32!(filters, scale; packed);
    let fits = packed.len() == (filters.len() / k).div_ceil(2) * k;
    if fits {
        bfloat16::pack(k, filters, Scale(scale), packed);
    }
    fits
}

/// What filters are multiplied by: one number each, or nothing.
#[derive(Clone, Copy)]
pub(super) struct Scale<'a>(&'a [f32]);

impl Scale<'_> {
    pub(super) fn of(self, k: usize) -> f32 {
        self.0.get(k).copied().unwrap_or(1.0)
    }

    /// The filters in the order in which they are declared.
    fn pack(self, filters: &[f32], packed: &mut [f32]) {
        packed.copy_from_slice(filters);
        if !self.0.is_empty() {
            for row in packed.chunks_exact_mut(self.0.len()) {
                row.iter_mut()
                    .zip(self.0)
                    .for_each(|(w, scale)| *w *= scale);
            }
        }
    }
}

/// As [`conv_forward`](super::conv_forward), with packed filters and [`Algorithm::scratch`] scalars to
/// work in.
pub fn conv_forward_packed<T: Real>(
    from: &Packed<'_, T>,
    x: &[T],
    scratch: &mut [T],
    y: &mut [T],
) -> Done {
    as_f32!(x; scratch, y);
    let Some(from) = from.as_f32() else {
        return false;
    };
    #[cfg(feature = "rayon")]
    let forward = parts::forward;
    #[cfg(not(feature = "rayon"))]
    let forward = run;
    let can = !from.onto || from.algorithm.adds(from.sizes);
    can && from.fits(x, scratch) && fit(y, &from.sizes.y) && forward(&from, x, scratch, y).is_some()
}

/// As [`conv_forward_packed`], on this thread, once the lengths were checked.
pub(super) fn run(
    from: &Packed<'_, f32>,
    x: &[f32],
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    match from.algorithm {
        Algorithm::Direct => {
            let done = conv::forward(
                &conv::Operands {
                    sizes: from.sizes,
                    x,
                    filters: from.packed,
                    bias: from.bias,
                },
                y,
            );
            done.inspect(|()| from.clamp.apply(y))
        }
        Algorithm::Panels => panels::forward(from, x, y),
        Algorithm::Rows | Algorithm::Winograd(Winograd::Column) => {
            rows::forward(from, None, x, scratch, y)
        }
        Algorithm::Winograd(tile) => winograd::forward(from, tile, x, scratch, y),
        Algorithm::Bfloat16 => None,
    }
}

/// The largest of each window of what [`conv_forward_packed`] would compute, and without that in
/// between: a row is pooled as soon as it is there. For [`Algorithm::Rows`] and [`Winograd::Column`]
/// only, and pools that look at 3 rows at most. The largest of a window that holds a NaN is NaN.
pub fn conv_pool_forward_packed<T: Real>(
    from: &Packed<'_, T>,
    pool: &Sizes,
    x: &[T],
    scratch: &mut [T],
    y: &mut [T],
) -> Done {
    as_f32!(x; scratch, y);
    let Some(from) = from.as_f32() else {
        return false;
    };
    from.fits(x, scratch)
        && !from.onto
        && from.algorithm.pools(pool)
        && fit(y, &pool.y)
        && pool.x == from.sizes.y
        && pool.y[2] == pool.x[2]
        && pool.are_countable(1)
        && rows::forward(&from, Some(pool), x, scratch, y).is_some()
}

impl<'a, T: Real> Packed<'a, T> {
    fn as_f32(&self) -> Option<Packed<'a, f32>> {
        Some(Packed {
            sizes: self.sizes,
            algorithm: self.algorithm,
            packed: T::as_f32(self.packed)?,
            bias: T::as_f32(self.bias)?,
            onto: self.onto,
            clamp: self.clamp,
            threads: self.threads,
        })
    }
}

impl<'a> Packed<'a, f32> {
    /// Those of an `fc` of `x`.
    fn fc_operands(&self, x: &'a [f32]) -> fc::Operands<'a> {
        fc::Operands {
            x,
            filters: self.packed,
            bfloat16: self.algorithm == Algorithm::Bfloat16,
            pitch: self.bias.len(),
            bias: self.bias,
        }
    }

    /// Whether all lengths are what the sizes say, but for the output's.
    fn fits(&self, x: &[f32], scratch: &[f32]) -> bool {
        let &Self {
            sizes,
            algorithm,
            packed,
            bias,
            ..
        } = self;
        fit(x, &sizes.x)
            && sizes.dilation == [1, 1]
            && bias.len() == sizes.y[2]
            && algorithm.fits(sizes, packed)
            && scratch.len() >= algorithm.scratch(sizes)
    }
}

/// As [`fc_forward_packed`], for a few images on this thread: the filters are read once. The same to
/// the bit.
pub fn fc_forward_packed_batch<T: Real>(from: &Packed<'_, T>, images: FcForward<'_, T>) -> Done {
    let Some(packed) = from.as_f32() else {
        return false;
    };
    fc_singles(images, &packed.fc_operands(&[]), packed.clamp)
}

/// As [`fc_forward`](super::fc_forward), with filters packed by [`fc_pack`], and what follows it.
pub fn fc_forward_packed<T: Real>(from: &Packed<'_, T>, x: &[T], y: &mut [T]) -> Done {
    as_f32!(x; y);
    let Some(packed) = from.as_f32() else {
        return false;
    };
    let from = packed.fc_operands(x);
    #[cfg(feature = "rayon")]
    let forward = |from: &_, y: &mut _| parts::fc(from, packed.threads, y);
    #[cfg(not(feature = "rayon"))]
    let forward = fc::forward;
    from.fit(x.len())
        && from.bias.len() == y.len()
        && forward(&from, y).is_some_and(|()| {
            packed.clamp.apply(y);
            true
        })
}
