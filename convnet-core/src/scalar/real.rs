//! The scalars a network can be made of: `f32` and `f64`.
//!
//! **Invariant:** there are no others. `unsafe` code takes a scalar for four or eight bytes of which any
//! are a value, and a slice that [`Real::as_f32`] hands out for the one that it was given.

use core::fmt::Display;
use core::iter::Sum;
use core::num::FpCategory;

use num_traits::{ConstOne, Float, FromPrimitive, NumAssign};

use crate::scalar::element::Element;
use sealed::Sealed;

/// `f32` or `f64`; no other type can implement it.
///
/// Networks are trained and run in `f32`; `f64` is there to check gradients by finite differences,
/// where single precision is too coarse to tell a wrong gradient from a rounded one (CS231n,
/// *Gradient checks*).
pub trait Real:
    Sealed + Float + NumAssign + FromPrimitive + Element + ConstOne + Sum + Default + Display
{
    /// The nearest value to `value`.
    fn of(value: f64) -> Self;

    /// The same value as `f64`; exact for both scalars. (`to_f64` is num-traits', which gives an option.)
    fn widen(self) -> f64;

    /// The same slice, if `Self` is `f32`: the door to the vector kernels.
    fn as_f32(slice: &[Self]) -> Option<&[f32]>;

    /// The same slice, if `Self` is `f32`.
    fn as_f32_mut(slice: &mut [Self]) -> Option<&mut [f32]>;
}

/// Whether `x` takes the place of `best` as the largest: NaN counts as more than every number, so that it
/// is seen, and the first of equals stays.
#[inline(always)]
pub(crate) fn beats<T: Real>(x: T, best: T) -> bool {
    let stays = x <= best;
    // By its bits: where floats are emulated, a comparison is a call.
    !stays && best.classify() != FpCategory::Nan
}

/// Takes over whatever of `others` beats what stands in its place. Compiled once a scalar: where lengths are
/// known, the compiler would unroll it, for some ten kilobytes a pool.
#[inline(never)]
pub(crate) fn keep_largest<T: Real>(best: &mut [T], others: &[T]) {
    for (best, &x) in best.iter_mut().zip(others) {
        if beats(x, *best) {
            *best = x;
        }
    }
}

/// The place of the largest, the first of equals; 0 if there is none.
pub(crate) fn place_of_largest<T: Real>(scores: &[T]) -> usize {
    let mut best = (0, T::neg_infinity());
    for (k, &score) in scores.iter().enumerate() {
        if beats(score, best.1) {
            best = (k, score);
        }
    }
    best.0
}

/// Softmax: each exp(score − max) over their sum, computed when it is asked for.
pub(crate) fn probabilities<T: Real>(scores: &[T]) -> impl Iterator<Item = T> {
    let max = scores.iter().copied().fold(T::neg_infinity(), T::max);
    let sum: T = scores.iter().map(|&score| (score - max).exp()).sum();
    scores.iter().map(move |&score| (score - max).exp() / sum)
}

/// The places and values of all scores, the largest first, of equals the first; NaN counts as the largest.
pub(crate) fn ranking<T: Real>(scores: &[T]) -> impl Iterator<Item = (usize, T)> {
    let mut before: Option<(usize, T)> = None;
    core::iter::from_fn(move || {
        let left = scores.iter().copied().enumerate().filter(|&(at, score)| {
            // Behind the one before: smaller, or as large and later.
            before.is_none_or(
                |(place, value)| match (beats(score, value), beats(value, score)) {
                    (false, false) => at > place,
                    (_, smaller) => smaller,
                },
            )
        });
        before = left.reduce(|best, next| if beats(next.1, best.1) { next } else { best });
        before
    })
}

mod sealed {
    /// Which types there are.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is no scalar of a network",
        label = "is neither `f32` nor `f64`",
        note = "networks are made of `f32`, or of `f64` to check gradients"
    )]
    pub trait Sealed {}

    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is what is asked for"
    )]
    fn of(value: f64) -> Self {
        value as f32
    }

    fn widen(self) -> f64 {
        f64::from(self)
    }

    fn as_f32(slice: &[Self]) -> Option<&[f32]> {
        Some(slice)
    }

    fn as_f32_mut(slice: &mut [Self]) -> Option<&mut [f32]> {
        Some(slice)
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }

    fn widen(self) -> f64 {
        self
    }

    fn as_f32(_: &[Self]) -> Option<&[f32]> {
        None
    }

    fn as_f32_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
}
