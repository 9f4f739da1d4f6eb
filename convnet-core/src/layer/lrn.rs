//! Local response normalisation: neurons of neighbouring depth slices inhibit each other.

use super::word::{Takes, word};
use super::{InPlace, Layer};
use crate::kernel::at_level;
use crate::{Real, Volume};
use core::ops::Bound;

/// What α, β and k are where a declaration says nothing.
const DEFAULTS: [f64; 3] = [1e-4, 0.75, 1.0];

const fn above_zero(default: f64, form: &'static str) -> Takes {
    Takes::Decimal {
        default: Some(default),
        range: (Bound::Excluded(0.0), Bound::Excluded(f64::INFINITY)),
        form,
    }
}

word! {
    /// `lrn(5, alpha = 1e-4, beta = 0.75, k = 1.0)`: x / (k + alpha/size · Σ x²)^beta, the sum over
    /// neighbouring depth slices.
    ///
    /// alpha is divided by the size, as in Caffe and PyTorch and not as in the paper. See
    /// [`layer::Lrn`](crate::layer::Lrn).
    lrn {
        /// n, how many neighbours are seen.
        size: usize = first(Takes::Count {
            default: None,
            zero: "an lrn over 0 slices has nothing to sum: 1 is the slice alone",
            form: "the number of neighbours is 1 or more, such as `5`",
        }),
        /// α, 1e-4 by default.
        alpha: f64 = keyed(above_zero(DEFAULTS[0], "alpha is a number above 0, such as 1e-4")),
        /// β, 0.75 by default.
        beta: f64 = keyed(above_zero(DEFAULTS[1], "beta is a number above 0, such as 0.75")),
        /// k, 1 by default.
        k: f64 = keyed(above_zero(DEFAULTS[2], "k is a number above 0, such as 1.0")),
    }
    Manner::ActivatesByInput, Sees::Pixel;
    example: "lrn(5, alpha = 1e-4, beta = 0.75, k = 1.0)",
    elsewhere: &["localresponsenorm", "localresponsenormalization"],
}

/// `x / (k + α/n · Σ x²)^β`, the sum over `n` neighbouring depth slices: the `lrn` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
///
/// The neighbours of slice d are d − ⌊n/2⌋ to d + ⌊(n − 1)/2⌋, those that there are. **α is divided
/// by n**, as in Caffe and PyTorch; the paper writes α·Σ, so its α = 10⁻⁴ with n = 5 is 5·10⁻⁴ here.
///
/// Backward reads the input, which the tape keeps; inference works in place, with a depth column of
/// squares, sums and powers on the stack.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{InPlace, Lrn};
///
/// let lrn = Lrn { size: 3, alpha: 3.0, beta: 1.0, k: 0.0 };
/// let mut v = Volume([[[1.0, 2.0, 3.0]]]);
/// lrn.forward_in_place(&mut v);
/// assert_eq!(v, Volume([[[1.0 / 5.0, 2.0 / 14.0, 3.0 / 13.0]]]));
/// ```
///
/// Source: Krizhevsky, Sutskever, Hinton, *ImageNet Classification with Deep Convolutional Neural
/// Networks* (2012), section 3.3.
#[doc(alias = "LocalResponseNorm")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// n, how many depth slices are seen.
    pub size: usize,
    /// α, 10⁻⁴ unless a declaration says otherwise.
    pub alpha: f64,
    /// β, 0.75 unless a declaration says otherwise.
    pub beta: f64,
    /// k, 1 unless a declaration says otherwise.
    pub k: f64,
}

impl Lrn {
    /// `k + α/n · Σ x²` of every depth slice.
    #[inline(always)]
    fn sums<T: Real, const D: usize>(&self, x: &[T; D]) -> [T; D] {
        let mut squares = [T::ZERO; D];
        for (square, &x) in squares.iter_mut().zip(x) {
            *square = x * x;
        }
        let mut sums = [T::ZERO; D];
        let half = self.size / 2;
        add_neighbours(&squares, half, self.size - half, &mut sums);
        let (k, share) = (T::of(self.k), self.share::<T>());
        for sum in &mut sums {
            *sum = k + share * *sum;
        }
        sums
    }

    /// α/n.
    #[expect(clippy::cast_precision_loss, reason = "a depth is far below 2^52")]
    fn share<T: Real>(&self) -> T {
        T::of(self.alpha / self.size as f64)
    }

    /// `sum^−β`; for the usual β by roots, which are many times faster.
    #[inline(always)]
    fn powers<T: Real, const D: usize>(&self, sums: &[T; D]) -> [T; D] {
        let mut powers = *sums;
        if self.beta == 0.75 {
            for power in &mut powers {
                let root = power.sqrt();
                *power = (root * root.sqrt()).recip();
            }
        } else {
            for power in &mut powers {
                *power = power.powf(T::of(-self.beta));
            }
        }
        powers
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Lrn
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        y.copy_from(x);
        self.forward_in_place(y);
    }

    /// With s = k + α/n·Σ x²: dx = dy·s^−β − 2αβ/n · x · Σ dy·x·s^(−β−1), the sum over the slices that
    /// have this one for a neighbour.
    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        _: &mut Self,
    ) {
        let twice = T::of(2.0 * self.beta) * self.share::<T>();
        at_level(
            #[inline(always)]
            || {
                let columns = x.as_flattened().iter().zip(dy.as_flattened());
                for (dx, (x, dy)) in dx.as_flattened_mut().iter_mut().zip(columns) {
                    let sums = self.sums(x);
                    let powers = self.powers(&sums);
                    let mut pulls = [T::ZERO; D];
                    for d in 0..D {
                        dx[d] = dy[d] * powers[d];
                        pulls[d] = dy[d] * x[d] * powers[d] / sums[d];
                    }
                    // The other way round: those that see a slice.
                    let (mut pulled, half) = ([T::ZERO; D], self.size / 2);
                    let before = (self.size - half).saturating_sub(1);
                    add_neighbours(&pulls, before, half + 1, &mut pulled);
                    for d in 0..D {
                        dx[d] -= twice * x[d] * pulled[d];
                    }
                }
            },
        );
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, H, W, D>, _: &mut Self) {}
}

impl<T: Real, const H: usize, const W: usize, const D: usize> InPlace<Volume<T, H, W, D>> for Lrn {
    fn forward_in_place(&self, v: &mut Volume<T, H, W, D>) {
        at_level(
            #[inline(always)]
            || {
                for column in v.as_flattened_mut() {
                    let powers = self.powers(&self.sums(column));
                    for (v, power) in column.iter_mut().zip(powers) {
                        *v *= power;
                    }
                }
            },
        );
    }
}

/// Adds to each sum the values of so many slices before it, and of so many from it on. One
/// neighbour of all slices after the other, so that the compiler finds vectors.
#[inline(always)]
fn add_neighbours<T: Real>(values: &[T], before: usize, from: usize, sums: &mut [T]) {
    for n in (1..=before).rev() {
        let sums = sums.get_mut(n..).unwrap_or_default();
        sums.iter_mut().zip(values).for_each(|(sum, &v)| *sum += v);
    }
    for n in 0..from {
        let values = values.get(n..).unwrap_or_default();
        sums.iter_mut().zip(values).for_each(|(sum, &v)| *sum += v);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    /// Forward and backward of one column by the formulas, slice by slice in `f64`.
    fn plain(lrn: &Lrn, x: &[f64], dy: &[f64]) -> [std::vec::Vec<f64>; 2] {
        let (half, share) = (lrn.size / 2, lrn.share::<f64>());
        let sees = |d: usize, e: usize| e + half >= d && e < d + lrn.size - half;
        let all = 0..x.len();
        let sum = |d: usize| {
            let seen = all.clone().filter(|&e| sees(d, e));
            lrn.k + share * seen.map(|e| x[e] * x[e]).sum::<f64>()
        };
        let pull = |e: usize| dy[e] * x[e] * sum(e).powf(-lrn.beta - 1.0);
        let y = all.clone().map(|d| x[d] * sum(d).powf(-lrn.beta));
        let dx = all.clone().map(|d| {
            let pulls = all.clone().filter(|&e| sees(e, d)).map(pull).sum::<f64>();
            dy[d] * sum(d).powf(-lrn.beta) - 2.0 * lrn.beta * share * x[d] * pulls
        });
        [y.collect(), dx.collect()]
    }

    fn check<const D: usize>(lrn: Lrn) {
        let value = |i: usize| (i * 7919 % 1009) as f32 / 250.0 - 2.0;
        let mut volumes = [Volume::<f32, 2, 1, D>::ZERO; 4];
        for (seed, v) in volumes.iter_mut().enumerate() {
            let scalars = v.as_mut_slice().iter_mut().enumerate();
            scalars.for_each(|(i, v)| *v = value(i + 40 * seed));
        }
        let [x, dy, mut y, mut dx] = volumes;
        for level in crate::kernel::levels() {
            crate::kernel::with_level(level, || {
                lrn.forward(&x, &mut y);
                lrn.backward(&x, &mut dx, &dy, &mut lrn.clone());
            });
            for row in 0..2 {
                let [x, dy] = [&x, &dy].map(|v| v[row][0].map(f64::from));
                let expected = plain(&lrn, &x, &dy);
                for (found, expected) in [&y, &dx].into_iter().zip(expected) {
                    for (found, expected) in found[row][0].iter().zip(expected) {
                        let off = (f64::from(*found) - expected).abs();
                        assert!(off < 1e-5, "{lrn:?}, {D}: {found} is not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_depth_and_size_is_its_formula() {
        for size in 1..9 {
            for beta in [0.75, 0.6] {
                let (alpha, k) = (0.7, 1.5);
                let lrn = Lrn {
                    size,
                    alpha,
                    beta,
                    k,
                };
                check::<1>(lrn);
                check::<3>(lrn);
                check::<8>(lrn);
                check::<21>(lrn);
                check::<48>(lrn);
            }
        }
    }
}
