//! Larger maps, each pixel repeated.

use super::Layer;
use super::slide::add_columns;
use super::word::word;
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::{Real, Volume};

word! {
    /// `upsample(2x2)`: each pixel becomes 2x2 of the same.
    ///
    /// Reads WxHxD, writes F·WxF·HxD. See [`layer::Upsample`](crate::layer::Upsample).
    upsample {
        /// F, how many times as wide and high: `2x2`.
        size: [usize; 2] = first(Takes::Size),
    }
    Manner::Averages, Sees::Stamps;
    example: "upsample(2x2)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
    ],
    elsewhere: &["upsampling", "upsamplingnearest", "unpool", "unpooling", "interpolate", "resize"],
}

/// Each pixel `FH`×`FW` times: the `upsample` of a declaration, and PyTorch's `Upsample(mode='nearest')`.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[FH·H][FW·W][D]` |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, Upsample};
///
/// let mut y = Volume::<f32, 2, 4, 1>::ZERO;
/// Upsample::<2, 2>::new().forward(&Volume([[[1.0], [2.0]]]), &mut y);
/// let row = [[1.0], [1.0], [2.0], [2.0]];
/// assert_eq!(y, Volume([row, row]));
/// ```
///
/// Source: [PyTorch, `nn.Upsample`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html).
#[doc(alias = "UpSampling2D")]
#[doc(alias = "nearest")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upsample<const FH: usize, const FW: usize>;

impl<const FH: usize, const FW: usize> Upsample<FH, FW> {
    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// As [`backward`](Layer::backward): the gradient on a pixel is the sum of those on its copies.
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
        const { assert!(HO == FH * H && WO == FW * W, "F times as wide and high") };
        dx.as_mut_slice().fill(T::ZERO);
        for (dx, rows) in dx.iter_mut().zip(pieces(&dy[..], FH)) {
            for row in rows {
                for (dx, copies) in dx.iter_mut().zip(pieces(row, FW)) {
                    add_columns(copies.as_flattened(), dx);
                }
            }
        }
    }
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const D: usize,
    const HO: usize,
    const WO: usize,
    const FH: usize,
    const FW: usize,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for Upsample<FH, FW>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, D>) {
        const { assert!(HO == FH * H && WO == FW * W, "F times as wide and high") };
        for (x, rows) in x.iter().zip(pieces_mut(&mut y[..], FH)) {
            for row in rows {
                for (x, copies) in x.iter().zip(pieces_mut(row, FW)) {
                    copies.fill(*x);
                }
            }
        }
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
