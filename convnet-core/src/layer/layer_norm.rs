//! Depth columns to a mean and a deviation.

use bytemuck::Zeroable;

use super::Layer;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `layer_norm`: each depth column to a mean and a deviation that are learned for each slice.
    ///
    /// Of the whole volume it is a [`group_norm(1)`](crate::dsl::group_norm), or, where each number has its own factor, a
    /// [`layer_norm_volume`](crate::dsl::layer_norm_volume). See [`layer::LayerNorm`](crate::layer::LayerNorm).
    layer_norm {
        /// ε, added to the variance: 1e-5 by default.
        eps: f64 = keyed(Takes::EPS),
    }
    Manner::Filters, Sees::Pixel;
    example: "layer_norm(eps = 1e-6)",
    generics: &[Generic::Length(Length::Depth), Generic::Bits("eps")],
    tensors: &[
        TensorOf::slices("gamma", RoleOf::Gain),
        TensorOf::slices("beta", RoleOf::Shift),
    ],
    elsewhere: &["layernormalization"],
}

/// `γ·(x − μ)/√(σ² + ε) + β`, where μ and σ² are those of the depth column: the `layer_norm` of a declaration.
/// `EPSILON` holds the bits of ε, an `f64`.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | parameters | `gamma`, `beta`: 2·D, which begin at 1 and 0 |
/// | multiply-adds | none are counted |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, LayerNorm};
///
/// let mut norm = LayerNorm::<f64, 2>::ZERO;
/// (norm.gamma, norm.beta) = ([1.0, 10.0], [0.0, 1.0]);
/// let mut y = Volume::ZERO;
/// norm.forward(&Volume([[[2.0, 6.0]]]), &mut y);
/// assert!((y[0][0][0] + 1.0).abs() < 1e-5 && (y[0][0][1] - 11.0).abs() < 1e-4);
/// ```
///
/// Source: Ba, Kiros and Hinton, *Layer Normalization* (2016); over the depth, Liu et al., *A ConvNet for the 2020s*
/// (2022).
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct LayerNorm<T, const D: usize, const EPSILON: u64 = { f64::to_bits(1e-5) }> {
    /// γ, by which each depth slice is multiplied.
    pub gamma: [T; D],
    /// β, which is added to it then.
    pub beta: [T; D],
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const D: usize, const EPSILON: u64> Zeroable for LayerNorm<T, D, EPSILON> {}

impl<T: Real, const D: usize, const EPSILON: u64> LayerNorm<T, D, EPSILON> {
    /// All zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        gamma: [T::ZERO; D],
        beta: [T::ZERO; D],
    };

    /// The mean of a depth column, and one divided by its deviation.
    fn statistics(x: &[T; D]) -> [T; 2] {
        let each = T::of(1.0 / D as f64);
        let mean = x.iter().copied().sum::<T>() * each;
        let squares = x.iter().map(|&x| (x - mean) * (x - mean)).sum::<T>();
        let variance = squares * each + T::of(f64::from_bits(EPSILON));
        [mean, T::ONE / variance.sqrt()]
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const EPSILON: u64>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for LayerNorm<T, D, EPSILON>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            let [mean, inverse] = Self::statistics(x);
            let factors = self.gamma.iter().zip(&self.beta);
            for ((y, &x), (&gamma, &beta)) in y.iter_mut().zip(x).zip(factors) {
                *y = gamma * ((x - mean) * inverse) + beta;
            }
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        let each = T::of(1.0 / D as f64);
        let columns = x.iter().flatten().zip(dy.iter().flatten());
        for (dx, (x, dy)) in dx.iter_mut().flatten().zip(columns) {
            let [mean, inverse] = Self::statistics(x);
            // γ·dy, and how it goes with the normalised x: the means of both are taken out.
            let (mut along, mut with) = (T::ZERO, T::ZERO);
            for ((dx, (&x, &dy)), &gamma) in dx.iter_mut().zip(x.iter().zip(dy)).zip(&self.gamma) {
                *dx = gamma * dy;
                along += *dx;
                with += *dx * (x - mean) * inverse;
            }
            let (along, with) = (along * each, with * each);
            for (dx, &x) in dx.iter_mut().zip(x) {
                *dx = inverse * (*dx - along - (x - mean) * inverse * with);
            }
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        for (x, dy) in x.iter().flatten().zip(dy.iter().flatten()) {
            let [mean, inverse] = Self::statistics(x);
            let sums = gradient.gamma.iter_mut().zip(&mut gradient.beta);
            for ((gamma, beta), (&x, &dy)) in sums.zip(x.iter().zip(dy)) {
                *gamma += dy * (x - mean) * inverse;
                *beta += dy;
            }
        }
    }
}
