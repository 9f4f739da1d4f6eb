//! Batch normalisation: every depth slice to a mean of β and a deviation of γ.

use bytemuck::Zeroable;

use super::{InPlace, Layer};
use crate::prepare::Norm;
use crate::{Real, Volume};

/// `γ·(x − mean)/√(variance + ε) + β`, depth slice by depth slice: the `batch_norm` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | parameters | `gamma`, `beta`: 2·D |
/// | statistics | `mean`, `variance`: 2·D, stored and not learned |
/// | multiply-adds | none are counted: it is one of each number, and can be folded into a `conv` |
///
/// `EPSILON` holds the bits of ε, an `f64`: 1e-5 as in PyTorch.
///
/// # Training
///
/// This crate takes images one by one, each on a tape of its own, so that results do not depend on
/// the number of threads; a batch's own statistics do not exist while its images run. So training
/// normalises by the *running* statistics, the same that inference uses, and backward takes them
/// for constants. Every step of an optimizer then moves them a tenth
/// ([`MOMENTUM`](crate::optim::MOMENTUM)) of the way to the batch's: backward adds how far they are
/// from the image's to the gradient of the statistics, where others have a slope.
///
/// | | PyTorch, training | here, training |
/// |---|---|---|
/// | normalises by | mean and biased variance of the batch | running mean and variance |
/// | gradient on x | also through the statistics | dy·γ/√(variance + ε) |
/// | gradient on γ, β | Σ dy·x̂, Σ dy | the same |
/// | running mean | moves a tenth to the batch's | the same |
/// | running variance | moves a tenth to the batch's, unbiased | to the batch's mean of (x − running mean)² |
///
/// A network that begins far from its statistics learns slowly until they have arrived:
/// [`calibrate`](../train/fn.calibrate.html) sets them to those of a data set at once. With
/// PyTorch's weights, inference is PyTorch's `eval()`, and training is what is known as training
/// with frozen statistics.
///
/// What this gives was measured on small networks only: with two of them on the 1,797 digits of this
/// repository, a `batch_norm` behind each `conv` trains as well as none (97 to 99 % of 359 held out,
/// with and without, after 20 epochs). That it makes very deep networks trainable from scratch, as
/// the batch's own statistics do, was not shown.
///
/// ```
/// use convnet_core::Volume;
/// use convnet_core::layer::{BatchNorm, InPlace};
///
/// let mut norm = BatchNorm::<f64, 1>::ZERO;
/// (norm.gamma, norm.beta) = ([10.0], [1.0]);
/// (norm.mean, norm.variance) = ([5.0], [4.0 - norm.epsilon()]);
/// let mut v = Volume([[[5.0], [7.0], [1.0]]]);
/// norm.forward_in_place(&mut v);
/// assert_eq!(v, Volume([[[1.0], [11.0], [-19.0]]]));
/// ```
///
/// Source: Ioffe and Szegedy, *Batch Normalization* (2015).
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct BatchNorm<T, const D: usize, const EPSILON: u64 = { f64::to_bits(1e-5) }> {
    /// γ, the deviation of the output.
    pub gamma: [T; D],
    /// β, the mean of the output.
    pub beta: [T; D],
    /// The running mean of the input.
    pub mean: [T; D],
    /// The running variance of the input.
    pub variance: [T; D],
}

// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const D: usize, const EPSILON: u64> Zeroable for BatchNorm<T, D, EPSILON> {}

/// Depth slices that are done at a time: so many factors lie on the stack.
const BLOCK: usize = 64;

impl<T: Real, const D: usize, const EPSILON: u64> BatchNorm<T, D, EPSILON> {
    /// All zero, the statistics too. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        gamma: [T::ZERO; D],
        beta: [T::ZERO; D],
        mean: [T::ZERO; D],
        variance: [T::ZERO; D],
    };

    /// ε.
    #[must_use]
    pub const fn epsilon(&self) -> f64 {
        f64::from_bits(EPSILON)
    }

    /// `1/√(variance + ε)` of depth slice `d`.
    fn inverse(&self, d: usize) -> T {
        (self.variance[d] + T::of(self.epsilon())).sqrt().recip()
    }

    /// `y = scale·x + shift` for the depth slices from `start` on.
    fn factors(&self, start: usize) -> ([T; BLOCK], [T; BLOCK], usize) {
        let len = BLOCK.min(D - start);
        let (mut scale, mut shift) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
        for i in 0..len {
            [scale[i], shift[i]] = Norm::scale_and_shift(self, start + i);
        }
        (scale, shift, len)
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const EPSILON: u64>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for BatchNorm<T, D, EPSILON>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for start in (0..D).step_by(BLOCK) {
            let (scale, shift, len) = self.factors(start);
            for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
                let y = y[start..start + len].iter_mut().zip(&x[start..]);
                for ((y, &x), (&scale, &shift)) in y.zip(scale.iter().zip(&shift)) {
                    *y = scale * x + shift;
                }
            }
        }
    }

    /// The gradient of `mean` and `variance` is how far they are from the image's.
    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        for start in (0..D).step_by(BLOCK) {
            let (scale, _, len) = self.factors(start);
            for (dx, dy) in dx.iter_mut().flatten().zip(dy.iter().flatten()) {
                let dx = dx[start..start + len].iter_mut().zip(&dy[start..]);
                for ((dx, &dy), &scale) in dx.zip(&scale) {
                    *dx = scale * dy;
                }
            }
        }
        self.backward_parameters(x, dy, gradient);
    }

    #[expect(clippy::cast_precision_loss, reason = "an area is far below 2^52")]
    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        let share = T::of(1.0 / (H * W) as f64);
        for start in (0..D).step_by(BLOCK) {
            let len = BLOCK.min(D - start);
            let zero = [T::ZERO; BLOCK];
            let (mut sum_dy, mut sum_dy_x, mut sum_x, mut sum_x2) = (zero, zero, zero, zero);
            for (x, dy) in x.iter().flatten().zip(dy.iter().flatten()) {
                for i in 0..len {
                    let (x, dy) = (x[start + i] - self.mean[start + i], dy[start + i]);
                    sum_dy[i] += dy;
                    sum_dy_x[i] += dy * x;
                    sum_x[i] += x;
                    sum_x2[i] += x * x;
                }
            }
            for i in 0..len {
                let d = start + i;
                gradient.gamma[d] += sum_dy_x[i] * self.inverse(d);
                gradient.beta[d] += sum_dy[i];
                gradient.mean[d] -= sum_x[i] * share;
                gradient.variance[d] += self.variance[d] - sum_x2[i] * share;
            }
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const EPSILON: u64>
    InPlace<Volume<T, H, W, D>> for BatchNorm<T, D, EPSILON>
{
    fn forward_in_place(&self, v: &mut Volume<T, H, W, D>) {
        self.normalize(v.as_mut_slice());
    }
}

impl<T: Real, const D: usize, const EPSILON: u64> Norm<T> for BatchNorm<T, D, EPSILON> {
    const FOLDS: bool = true;

    fn scale_and_shift(&self, k: usize) -> [T; 2] {
        let scale = self.gamma[k] * self.inverse(k);
        [scale, self.beta[k] - self.mean[k] * scale]
    }

    fn normalize(&self, v: &mut [T]) {
        let (columns, _) = v.as_chunks_mut::<D>();
        for start in (0..D).step_by(BLOCK) {
            let (scale, shift, len) = self.factors(start);
            for v in &mut *columns {
                let v = v[start..start + len].iter_mut();
                for (v, (&scale, &shift)) in v.zip(scale.iter().zip(&shift)) {
                    *v = scale * *v + shift;
                }
            }
        }
    }
}
