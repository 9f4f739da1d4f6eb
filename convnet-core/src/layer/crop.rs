//! The middle of a volume.

use core::marker::PhantomData;

use super::slide::{Geometry, Slide};
use super::word::word;
use super::{Layer, Pad};
use crate::shape::Padding;
use crate::{Real, Volume};

word! {
    /// `crop(1)`, `crop((0, 1))`: the volume without so many rows and columns of its border.
    ///
    /// The way back of a [`pad`](crate::dsl::pad). See [`layer::Crop`](crate::layer::Crop).
    crop {
        /// How many rows and columns are cut off: `1`, `(before, after)` or `(top, bottom, left, right)`.
        pad: Padding = first(Takes::Pad),
    }
    Manner::Averages, Sees::Padded;
    example: "crop(1)",
    generics: &[Generic::Slide],
    elsewhere: &["cropping", "centercrop"],
}

/// A volume without some of its border: the `crop` of a declaration, and Keras's `Cropping2D`. How much is cut off above
/// and left is said by `G`, how much below and right by the size of what it writes.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[top + HO + bottom][left + WO + right][D]` |
/// | writes `y` | `[HO][WO][D]` |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Crop, Layer, Slide};
///
/// let mut y = Volume::<f32, 1, 2, 1>::ZERO;
/// Crop::<Slide<1, 1, 0, 1>>::new().forward(&Volume([[[1.0], [2.0], [3.0], [4.0]]]), &mut y);
/// assert_eq!(y, Volume([[[2.0], [3.0]]]));
/// ```
///
/// Source: Ronneberger, Fischer and Brox, *U-Net* (2015), whose ways are cropped before they meet.
#[doc(alias = "Cropping2D")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crop<G = Slide<1, 1, 0, 0>>(PhantomData<G>);

impl<G: Geometry> Crop<G> {
    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// As [`backward`](Layer::backward): the gradient on what was cut off is 0.
    pub fn backward_input<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const HO: usize,
        const WO: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
    ) {
        Pad::<G>::new().forward(dy, dx);
    }
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const D: usize,
    const HO: usize,
    const WO: usize,
    G: Geometry,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for Crop<G>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, D>) {
        Pad::<G>::new().backward_input(y, x);
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, HO, WO, D>, _: &mut Self) {}
}
