//! Batch normalisation: every depth slice to a mean of β and a deviation of γ.

mod line;

use bytemuck::Zeroable;

use self::line::Statistics;
use super::repack::Norm;
use super::word::word;
use super::{InPlace, Layer};
use crate::memory::moments::{Moments, USED};
use crate::{Real, Volume};
use core::ops::Bound;

/// ε, as in PyTorch.
pub(crate) const EPS: f64 = 1e-5;
/// How far a step moves the statistics, as in PyTorch.
pub(crate) const MOMENTUM: f64 = 0.1;

word! {
    /// `batch_norm`, `batch_norm(eps = 1e-3)`: each depth slice to a learned mean and deviation.
    ///
    /// The trainer normalises by the mean and variance of the batch, inference by running statistics: see
    /// [`layer::BatchNorm`](crate::layer::BatchNorm). Learns γ and β, 2·D numbers, and stores as many
    /// statistics.
    batch_norm {
        /// ε, added to the variance: between 0 and 1, 1e-5 by default.
        eps: f64 = keyed(Takes::EPS),
        /// How far a step moves the running statistics to those of the batch, 0.1 by default, as in PyTorch. Of Keras and
        /// ONNX, whose momentum is what stays, it is what is left to 1.
        momentum: f64 = keyed(Takes::Decimal {
            default: Some(MOMENTUM),
            range: (Bound::Excluded(0.0), Bound::Included(1.0)),
            form: "momentum is a number above 0 and up to 1, such as 0.1: how far the statistics move",
        }),
        /// `none`: no γ and β are learned, counted or stored in weight files; they are 1 and 0.
        affine: bool = keyed(Takes::Unless(
            "every depth slice learns a factor and a summand unless it is told not to: `affine = none`"
        )),
    }
    Manner::Normalises, Sees::Pixel;
    example: "batch_norm(eps = 1e-5)",
    generics: &[Generic::Length(Length::Depth), Generic::Bits("eps"), Generic::Unless],
    tensors: &[
        TensorOf::slices("gamma", RoleOf::Gain),
        TensorOf::slices("beta", RoleOf::Shift),
        TensorOf::slices("mean", RoleOf::Mean("momentum")),
        TensorOf::slices("variance", RoleOf::Variance("eps", "momentum")),
    ],
    elsewhere: &["bn", "batchnormalization", "batchnormalisation"],
}

/// `γ·(x − mean)/√(variance + ε) + β`, depth slice by depth slice: the `batch_norm` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | parameters | `gamma`, `beta`: 2·D; none with `affine = none`, where they count as 1 and 0 |
/// | statistics | `mean`, `variance`: 2·D, stored and not learned |
/// | multiply-adds | none are counted: it is one of each number, and can be folded into a `conv` |
///
/// `EPSILON` holds the bits of ε, an `f64`: 1e-5 as in PyTorch. `AFFINE` says whether γ and β are read; of `affine =
/// none` they have their place in the layer, and are not.
///
/// # Training
///
/// A [`Trainer`](../train/struct.Trainer.html) normalises as PyTorch's `train()` does: by the mean and
/// variance of the mini-batch. It cuts the passes of its images into parts where they
/// [exchange moments](crate::moments).
///
/// | | PyTorch, training | the trainer | an image alone |
/// |---|---|---|---|
/// | normalises by | mean and biased variance of the batch | the same | running mean and variance |
/// | gradient on x | also through the statistics | the same | dy·γ/√(variance + ε) |
/// | gradient on γ, β | Σ dy·x̂, Σ dy | the same | the same |
/// | running mean | moves by `momentum`, a tenth, to the batch's | the same | the same |
/// | running variance | moves by it to the batch's, unbiased | the same | to the mean of (x − running mean)² |
/// | one number a depth slice | an error | an error | trains |
///
/// *An image alone* is what [`forward_train`](crate::Trainable::forward_train) and
/// [`backward`](crate::Trainable::backward) see: a loop by hand, or a gradient check. Its own
/// statistics would be another function than inference computes, and none at all where the volume is
/// 1x1, so it takes the running ones; PyTorch's users call that frozen. Statistics that are far off
/// are set by [`calibrate`](../train/fn.calibrate.html).
///
/// What it gives: ResNet-20 on 1,000 images of CIFAR-10, SGD with Nesterov's momentum, a rate of 0.1 and
/// batches of 64, came in 4 epochs from a loss of 2.45 to 1.71, and to 34 % of 2,000 test images. Normalised
/// by the running statistics in training too, its loss was NaN in the third step; at a rate of 0.01,
/// from calibrated statistics, it came to 2.17 and 17 %.
///
/// In `f32` the mean of a batch is rounded, so where it is κ deviations from zero, the gradients on what lies in
/// front of the layer are off by up to about 2⁻²²·κ² of themselves: nothing for κ of 10, 6 % for 500.
///
/// How far the running statistics are off stands where others have a gradient, and a step of any
/// optimizer moves them by the declaration's `momentum`, [`MOMENTUM`](crate::optim::MOMENTUM) if it says none. As a [`Layer`], by hand, they are
/// left alone.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{BatchNorm, InPlace};
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
#[doc(alias = "BatchNorm2d")]
#[doc(alias = "BatchNormalization")]
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct BatchNorm<
    T,
    const D: usize,
    const EPSILON: u64 = { f64::to_bits(EPS) },
    const AFFINE: bool = true,
> {
    /// γ, the deviation of the output.
    pub gamma: [T; D],
    /// β, the mean of the output.
    pub beta: [T; D],
    /// The running mean of the input.
    pub mean: [T; D],
    /// The running variance of the input.
    pub variance: [T; D],
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const D: usize, const EPSILON: u64, const AFFINE: bool> Zeroable
    for BatchNorm<T, D, EPSILON, AFFINE>
{
}

impl<T: Real, const D: usize, const EPSILON: u64, const AFFINE: bool>
    BatchNorm<T, D, EPSILON, AFFINE>
{
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

    /// The statistics of inference.
    fn running(&self) -> Statistics<'_, T, D> {
        [&self.mean, &self.variance]
    }
}

/// Calls a method for all depth slices, 16 at a time, or what is left: their factors and sums stay
/// in registers.
macro_rules! each_line {
    ($d:ident, $start:ident => $this:ident.$method:ident[$($sizes:tt),*]($($argument:expr),*)) => {{
        let mut $start = 0;
        while $start < $d {
            $start += match $d - $start {
                16.. => { $this.$method::<$($sizes,)* 16>($($argument),*); 16 }
                4.. => { $this.$method::<$($sizes,)* 4>($($argument),*); 4 }
                _ => { $this.$method::<$($sizes,)* 1>($($argument),*); 1 }
            };
        }
    }};
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const D: usize,
    const EPSILON: u64,
    const AFFINE: bool,
> Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for BatchNorm<T, D, EPSILON, AFFINE>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        each_line!(D, start => self.normalise_line[_, _](x, y, &self.running(), start));
    }

    /// The statistics are constants.
    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        each_line!(D, start => self.gradient_line[_, _](dx, dy, start));
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        each_line!(D, start => self.add_line[_, _](x, dy, &self.running(), gradient, start));
    }
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const D: usize,
    const EPSILON: u64,
    const AFFINE: bool,
> InPlace<Volume<T, H, W, D>> for BatchNorm<T, D, EPSILON, AFFINE>
{
    fn forward_in_place(&self, v: &mut Volume<T, H, W, D>) {
        self.normalize(v.as_mut_slice());
    }
}

impl<T: Real, const D: usize, const EPSILON: u64, const AFFINE: bool> Norm<T>
    for BatchNorm<T, D, EPSILON, AFFINE>
{
    const FOLDS: bool = true;

    fn scale_and_shift(&self, k: usize) -> [T; 2] {
        let [[scale], [shift]] = self.factors::<1>(k, &self.running());
        [scale, shift]
    }

    fn normalize(&self, v: &mut [T]) {
        let (columns, _) = v.as_chunks_mut::<D>();
        each_line!(D, start => self.normalise_line_in_place[](columns, start));
    }
}

/// In training, where the images of a batch exchange [`Moments`].
impl<T: Real, const D: usize, const EPSILON: u64, const AFFINE: bool>
    BatchNorm<T, D, EPSILON, AFFINE>
{
    /// Forward, before a merge: what the image says of itself, and what holds if nobody merges.
    pub fn observe<const H: usize, const W: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        moments: &mut Moments<T, D>,
    ) {
        each_line!(D, start => self.observe_line[_, _](x, moments, start));
    }

    /// Forward, after it.
    pub fn normalise<const H: usize, const W: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        moments: &Moments<T, D>,
        y: &mut Volume<T, H, W, D>,
    ) {
        each_line!(D, start => self.normalise_line[_, _](x, y, &used(moments), start));
    }

    /// Backward, before a merge: adds the gradient on the parameters, and how far the statistics are
    /// off, to `gradient`.
    pub fn observe_gradient<const H: usize, const W: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        moments: &mut Moments<T, D>,
        gradient: &mut Self,
    ) {
        each_line!(D, start => self.observe_gradient_line[_, _](x, dy, moments, gradient, start));
    }

    /// Backward, after it: `dx = γ/√(variance + ε)·(dy − mean of dy − x̂·mean of dy·x̂)`.
    pub fn backward_normalised<const H: usize, const W: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        moments: &Moments<T, D>,
        dx: &mut Volume<T, H, W, D>,
    ) {
        each_line!(D, start => self.backward_line[_, _](x, dy, moments, dx, start));
    }
}

fn used<T, const D: usize>(moments: &Moments<T, D>) -> Statistics<'_, T, D> {
    let [mean, variance] = &moments[USED];
    [mean, variance]
}
