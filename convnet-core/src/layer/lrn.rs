//! Local response normalisation: neurons of neighbouring depth slices inhibit each other.

use super::{InPlace, Layer};
use crate::{Real, Volume};

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
/// squares on the stack.
///
/// ```
/// use convnet_core::Volume;
/// use convnet_core::layer::{InPlace, Lrn};
///
/// let lrn = Lrn { size: 3, alpha: 3.0, beta: 1.0, k: 0.0 };
/// let mut v = Volume([[[1.0, 2.0, 3.0]]]);
/// lrn.forward_in_place(&mut v);
/// assert_eq!(v, Volume([[[1.0 / 5.0, 2.0 / 14.0, 3.0 / 13.0]]]));
/// ```
///
/// Source: Krizhevsky, Sutskever, Hinton, *ImageNet Classification with Deep Convolutional Neural
/// Networks* (2012), section 3.3.
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
    /// `k + α/n · Σ x²` at depth `d`, given the squares.
    fn sum<T: Real>(&self, squares: &[T], d: usize) -> T {
        let (start, end) = self.neighbours(d, squares.len());
        let sum = squares[start..end].iter().copied().sum::<T>();
        T::of(self.k) + self.share::<T>() * sum
    }

    fn neighbours(&self, d: usize, depth: usize) -> (usize, usize) {
        let start = d.saturating_sub(self.size / 2);
        (start, depth.min(d + self.size.div_ceil(2)))
    }

    /// α/n.
    #[expect(clippy::cast_precision_loss, reason = "a depth is far below 2^52")]
    fn share<T: Real>(&self) -> T {
        T::of(self.alpha / self.size as f64)
    }

    /// `sum^−β`; for the usual β by roots, which are many times faster.
    fn power<T: Real>(&self, sum: T) -> T {
        if self.beta == 0.75 {
            let root = sum.sqrt();
            return (root * root.sqrt()).recip();
        }
        sum.powf(T::of(-self.beta))
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
        let columns = x.iter().flatten().zip(dy.iter().flatten());
        for (dx, (x, dy)) in dx.iter_mut().flatten().zip(columns) {
            let squares = x.map(|x| x * x);
            let mut pull = [T::ZERO; D];
            for d in 0..D {
                let sum = self.sum(&squares, d);
                let power = self.power(sum);
                dx[d] = dy[d] * power;
                pull[d] = dy[d] * x[d] * power / sum;
            }
            for d in 0..D {
                // The other way round: those that see d.
                let start = (d + 1).saturating_sub(self.size.div_ceil(2));
                let end = D.min(d + self.size / 2 + 1);
                let pulls = pull[start..end].iter().copied().sum::<T>();
                dx[d] -= twice * x[d] * pulls;
            }
        }
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, H, W, D>, _: &mut Self) {}
}

impl<T: Real, const H: usize, const W: usize, const D: usize> InPlace<Volume<T, H, W, D>> for Lrn {
    fn forward_in_place(&self, v: &mut Volume<T, H, W, D>) {
        for column in v.iter_mut().flatten() {
            let squares = column.map(|v| v * v);
            for (d, v) in column.iter_mut().enumerate() {
                *v *= self.power(self.sum(&squares, d));
            }
        }
    }
}
