//! Whole volumes to a mean and a deviation, number by number.

use bytemuck::Zeroable;

use super::Layer;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `layer_norm_volume`: the whole volume to a mean and a deviation that are learned for each of its numbers.
    ///
    /// A [`group_norm(1)`](crate::dsl::group_norm) normalises in the same way, and learns a factor a depth slice; a
    /// [`layer_norm`](crate::dsl::layer_norm) normalises each depth column. See
    /// [`layer::LayerNormVolume`](crate::layer::LayerNormVolume).
    layer_norm_volume {
        /// ε, added to the variance: 1e-5 by default.
        eps: f64 = keyed(Takes::EPS),
    }
    Manner::Filters, Sees::All;
    example: "layer_norm_volume(eps = 1e-6)",
    generics: &[
        Generic::Length(Length::InputHeight),
        Generic::Length(Length::InputWidth),
        Generic::Length(Length::InputDepth),
        Generic::Bits("eps"),
    ],
    tensors: &[
        TensorOf::volume("gamma", RoleOf::Gain),
        TensorOf::volume("beta", RoleOf::Shift),
    ],
}

/// `γ·(x − μ)/√(σ² + ε) + β`, where μ and σ² are those of the whole volume, and each of its numbers has its own γ and
/// β: the `layer_norm_volume` of a declaration, and PyTorch's `LayerNorm([D, H, W])`. `EPSILON` holds the bits of ε, an
/// `f64`.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | parameters | `gamma`, `beta`, `[H][W][D]`: 2·H·W·D, which begin at 1 and 0 |
/// | multiply-adds | none are counted: it is one of each number |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, LayerNormVolume};
///
/// let mut norm = LayerNormVolume::<f64, 1, 2, 1>::ZERO;
/// (norm.gamma, norm.beta) = ([[[1.0], [10.0]]], [[[0.0], [1.0]]]);
/// let mut y = Volume::ZERO;
/// norm.forward(&Volume([[[2.0], [6.0]]]), &mut y);
/// assert!((y[0][0][0] + 1.0).abs() < 1e-5 && (y[0][1][0] - 11.0).abs() < 1e-4);
/// ```
///
/// Source: Ba, Kiros and Hinton, *Layer Normalization* (2016), equations 3 and 4.
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct LayerNormVolume<
    T,
    const H: usize,
    const W: usize,
    const D: usize,
    const EPSILON: u64 = { f64::to_bits(1e-5) },
> {
    /// γ, by which each number is multiplied.
    pub gamma: [[[T; D]; W]; H],
    /// β, which is added to it then.
    pub beta: [[[T; D]; W]; H],
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const H: usize, const W: usize, const D: usize, const EPSILON: u64> Zeroable
    for LayerNormVolume<T, H, W, D, EPSILON>
{
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const EPSILON: u64>
    LayerNormVolume<T, H, W, D, EPSILON>
{
    /// All zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        gamma: [[[T::ZERO; D]; W]; H],
        beta: [[[T::ZERO; D]; W]; H],
    };

    /// The mean of a volume, and one divided by its deviation.
    fn statistics(x: &Volume<T, H, W, D>) -> [T; 2] {
        let mean = Self::mean(x, |x| x);
        let variance = Self::mean(x, |x| (x - mean) * (x - mean));
        let variance = variance + T::of(f64::from_bits(EPSILON));
        [mean, T::ONE / variance.sqrt()]
    }

    /// The mean of what `f` makes of all numbers. A row by itself: the sums of many would be less exact.
    fn mean(x: &Volume<T, H, W, D>, f: impl Fn(T) -> T) -> T {
        let of_row = |row: &[[T; D]; W]| row.as_flattened().iter().map(|&x| f(x)).sum::<T>();
        x.iter().map(of_row).sum::<T>() * T::of(1.0 / (H * W * D) as f64)
    }

    /// γ, row by row.
    fn factors(&self) -> impl Iterator<Item = &[T]> {
        self.gamma.iter().map(|row| row.as_flattened())
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const EPSILON: u64>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for LayerNormVolume<T, H, W, D, EPSILON>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        let [mean, inverse] = Self::statistics(x);
        let [gamma, beta] = [&self.gamma, &self.beta].map(|it| it.as_flattened().as_flattened());
        let factors = gamma.iter().zip(beta);
        let numbers = y.as_mut_slice().iter_mut().zip(x.as_slice());
        for ((y, &x), (&gamma, &beta)) in numbers.zip(factors) {
            *y = gamma * ((x - mean) * inverse) + beta;
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        let [mean, inverse] = Self::statistics(x);
        let each = T::of(1.0 / (H * W * D) as f64);
        // γ·dy, and how it goes with the normalised x: the means of both are taken out.
        let (mut along, mut with) = (T::ZERO, T::ZERO);
        for ((dx, gamma), (x, dy)) in dx
            .iter_mut()
            .zip(self.factors())
            .zip(x.iter().zip(dy.iter()))
        {
            let [x, dy] = [x, dy].map(|row| row.as_flattened());
            let (mut of_row, mut with_row) = (T::ZERO, T::ZERO);
            let numbers = dx.as_flattened_mut().iter_mut().zip(gamma);
            for ((dx, &gamma), (&x, &dy)) in numbers.zip(x.iter().zip(dy)) {
                *dx = gamma * dy;
                of_row += *dx;
                with_row += *dx * (x - mean) * inverse;
            }
            (along, with) = (along + of_row, with + with_row);
        }
        let (along, with) = (along * each, with * each);
        for (dx, &x) in dx.as_mut_slice().iter_mut().zip(x.as_slice()) {
            *dx = inverse * (*dx - along - (x - mean) * inverse * with);
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        let [mean, inverse] = Self::statistics(x);
        let [gamma, beta] = [&mut gradient.gamma, &mut gradient.beta]
            .map(|it| it.as_flattened_mut().as_flattened_mut());
        let numbers = x.as_slice().iter().zip(dy.as_slice());
        for ((gamma, beta), (&x, &dy)) in gamma.iter_mut().zip(beta).zip(numbers) {
            *gamma += dy * (x - mean) * inverse;
            *beta += dy;
        }
    }
}
