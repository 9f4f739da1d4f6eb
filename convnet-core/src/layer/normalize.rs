//! Each depth slice less its mean, divided by its deviation, as the declaration says them.

use core::array;
use core::ops::Bound;

use super::Layer;
use super::word::{Decimals, word};
use crate::{Real, Volume};

word! {
    /// `normalize(mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225])`: (v − mean)/std, depth slice by depth
    /// slice.
    ///
    /// In front of all layers it is what images are normalised by. The numbers are the declaration's: nothing is
    /// learned, and weight files have none of it. What is learned instead is an [`affine`](crate::dsl::affine). See
    /// [`layer::Normalize`](crate::layer::Normalize).
    normalize {
        /// The means: one for each depth slice, or one for all.
        mean: Decimals = keyed(Takes::Decimals {
            range: (Bound::Excluded(f64::NEG_INFINITY), Bound::Excluded(f64::INFINITY)),
            form: "mean is a number for each depth slice, of 16 at most, or one for all, such as `[0.485, 0.456, 0.406]` or `0.5`",
        }),
        /// The deviations: one for each depth slice, or one for all; each above 0.
        std: Decimals = keyed(Takes::Decimals {
            range: (Bound::Excluded(0.0), Bound::Excluded(f64::INFINITY)),
            form: "std is a number above 0 for each depth slice, of 16 at most, or one for all, such as `[0.229, 0.224, 0.225]` or `0.5`",
        }),
    }
    Manner::Averages, Sees::Pixel;
    example: "normalize(mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225])",
    elsewhere: &["normalization", "rescaling"],
}

/// `(x − mean)/std`, depth slice by depth slice: the `normalize` of a declaration, and torchvision's `Normalize`.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | `mean`, `std` | D numbers, or one; hyperparameters, and no parameters |
/// | multiply-adds | none are counted: it is one of each number |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::graph::Decimals;
/// use convnet::layer::{Layer, Normalize};
///
/// let normalize = Normalize { mean: Decimals::of([1.0, 2.0]), std: Decimals::of([0.5]) };
/// let mut y = Volume::<f32, 1, 1, 2>::ZERO;
/// normalize.forward(&Volume([[[3.0, 1.0]]]), &mut y);
/// assert_eq!(y, Volume([[[4.0, -2.0]]]));
/// ```
///
/// Source: [torchvision, `transforms.Normalize`](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html).
#[doc(alias = "Normalization")]
#[doc(alias = "Rescaling")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalize {
    /// What is subtracted.
    pub mean: Decimals,
    /// By what is divided then.
    pub std: Decimals,
}

impl Normalize {
    /// As [`backward`](Layer::backward): the gradient on the input is that on the output, divided by `std`.
    pub fn backward_input<T: Real, const H: usize, const W: usize, const D: usize>(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
    ) {
        let std = each::<T, D>(&self.std);
        for (dx, dy) in dx.iter_mut().flatten().zip(dy.iter().flatten()) {
            for ((dx, &dy), &std) in dx.iter_mut().zip(dy).zip(&std) {
                *dx = dy / std;
            }
        }
    }
}

/// The numbers of all depth slices. (A plan has made sure that there are as many.)
fn each<T: Real, const D: usize>(list: &Decimals) -> [T; D] {
    array::from_fn(|d| T::of(list.at(d).copied().unwrap_or(f64::NAN)))
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Normalize
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        let (mean, std) = (each::<T, D>(&self.mean), each::<T, D>(&self.std));
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            for ((y, &x), (&mean, &std)) in y.iter_mut().zip(x).zip(mean.iter().zip(&std)) {
                *y = (x - mean) / std;
            }
        }
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, H, W, D>, _: &mut Self) {}
}
