//! Each depth slice by a factor, and moved.

use bytemuck::Zeroable;

use super::Layer;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `affine`: γ·v + β, with a learned factor and a learned summand for each depth slice.
    ///
    /// What an image is normalised by, and is not learned, is a [`normalize`](crate::dsl::normalize). See
    /// [`layer::Affine`](crate::layer::Affine).
    affine {}
    Manner::Filters, Sees::Pixel;
    generics: &[Generic::Length(Length::Depth)],
    tensors: &[
        TensorOf::slices("gamma", RoleOf::Gain),
        TensorOf::slices("beta", RoleOf::Shift),
    ],
    elsewhere: &["scaleshift"],
}

/// `γ·x + β`, depth slice by depth slice: the `affine` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | parameters | `gamma`, `beta`: 2·D, which begin at 1 and 0 |
/// | multiply-adds | none are counted: it is one of each number |
///
/// A [`BatchNorm`](super::BatchNorm) is one at inference, and measures in training what this one learns.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Affine, Layer};
///
/// let affine = Affine { gamma: [2.0, 10.0], beta: [0.5, -1.0] };
/// let mut y = Volume::<f32, 1, 1, 2>::ZERO;
/// affine.forward(&Volume([[[3.0, 4.0]]]), &mut y);
/// assert_eq!(y, Volume([[[6.5, 39.0]]]));
/// ```
///
/// Source: Caffe's [`Scale`](https://caffe.berkeleyvision.org/tutorial/layers/scale.html) with a bias.
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Affine<T, const D: usize> {
    /// γ, by which each depth slice is multiplied.
    pub gamma: [T; D],
    /// β, which is added to it then.
    pub beta: [T; D],
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const D: usize> Zeroable for Affine<T, D> {}

impl<T: Real, const D: usize> Affine<T, D> {
    /// All zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        gamma: [T::ZERO; D],
        beta: [T::ZERO; D],
    };
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Affine<T, D>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            let factors = self.gamma.iter().zip(&self.beta);
            for ((y, &x), (&gamma, &beta)) in y.iter_mut().zip(x).zip(factors) {
                *y = gamma * x + beta;
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
        for (dx, dy) in dx.iter_mut().flatten().zip(dy.iter().flatten()) {
            for ((dx, &dy), &gamma) in dx.iter_mut().zip(dy).zip(&self.gamma) {
                *dx = gamma * dy;
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
            let sums = gradient.gamma.iter_mut().zip(&mut gradient.beta);
            for ((gamma, beta), (&x, &dy)) in sums.zip(x.iter().zip(dy)) {
                *gamma += x * dy;
                *beta += dy;
            }
        }
    }
}
