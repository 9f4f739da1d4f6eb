//! Rectified linear unit with learned slopes below zero.

use bytemuck::Zeroable;

use super::Layer;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `prelu`: v, or slope·v below zero, with a learned slope for each depth slice.
    ///
    /// Learns D slopes, which begin at 1/4. See [`layer::Prelu`](crate::layer::Prelu).
    prelu {}
    Manner::Filters, Sees::Pixel;
    generics: &[Generic::Length(Length::Depth)],
    tensors: &[TensorOf::slices("slope", RoleOf::Slope)],
    elsewhere: &["parametricrelu"],
}

/// `v` where it is positive, `slope·v` elsewhere, with a slope for each depth slice: the `prelu` of a declaration,
/// and PyTorch's `PReLU(D)`.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | parameters | `slope`: D |
/// | multiply-adds | none are counted: it is one of each number |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, Prelu};
///
/// let prelu = Prelu { slope: [0.5, -1.0] };
/// let mut y = Volume::<f32, 1, 2, 2>::ZERO;
/// prelu.forward(&Volume([[[-2.0, -2.0], [3.0, 4.0]]]), &mut y);
/// assert_eq!(y, Volume([[[-1.0, 2.0], [3.0, 4.0]]]));
/// ```
///
/// Source: He, Zhang, Ren and Sun, *Delving Deep into Rectifiers* (2015).
#[doc(alias = "PReLU")]
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Prelu<T, const D: usize> {
    /// The slope below zero of each depth slice.
    pub slope: [T; D],
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const D: usize> Zeroable for Prelu<T, D> {}

impl<T: Real, const D: usize> Prelu<T, D> {
    /// All zero: a `relu`. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        slope: [T::ZERO; D],
    };
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Prelu<T, D>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            for ((y, &x), &slope) in y.iter_mut().zip(x).zip(&self.slope) {
                *y = if x > T::ZERO { x } else { slope * x };
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
        let columns = x.iter().flatten().zip(dy.iter().flatten());
        for (dx, (x, dy)) in dx.iter_mut().flatten().zip(columns) {
            for ((dx, (&x, &dy)), &slope) in dx.iter_mut().zip(x.iter().zip(dy)).zip(&self.slope) {
                *dx = if x > T::ZERO { dy } else { slope * dy };
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
            for ((slope, &x), &dy) in gradient.slope.iter_mut().zip(x).zip(dy) {
                *slope += if x > T::ZERO { T::ZERO } else { x * dy };
            }
        }
    }
}
