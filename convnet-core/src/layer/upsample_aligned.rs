//! Larger maps, with pixels between pixels and the corners in their places.

use super::between::between;
use super::word::word;

word! {
    /// `upsample_aligned(2x2)`: as `upsample_bilinear`, with the corners in their places.
    ///
    /// Reads WxHxD, writes F·WxF·HxD. See [`layer::UpsampleAligned`](crate::layer::UpsampleAligned).
    upsample_aligned {
        /// F, how many times as wide and high: `2x2`.
        size: [usize; 2] = first(Takes::Size),
    }
    Manner::Averages, Sees::Between;
    example: "upsample_aligned(2x2)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
    ],
    elsewhere: &["upsamplingaligned"],
}

/// `FH` times as high and `FW` times as wide, by bilinear interpolation: the `upsample_aligned` of a declaration, and
/// PyTorch's `Upsample(mode='bilinear', align_corners=True)`.
///
/// Pixels are points: the outermost of the output lie on those of the input, and all others at equal distances between.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[FH·H][FW·W][D]` |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, UpsampleAligned};
///
/// let mut y = Volume::<f64, 1, 4, 1>::ZERO;
/// UpsampleAligned::<1, 2>::new().forward(&Volume([[[1.0], [3.0]]]), &mut y);
/// let expected = [1.0, 5.0 / 3.0, 7.0 / 3.0, 3.0];
/// let differs = y.as_slice().iter().zip(expected).map(|(y, e): (&f64, f64)| (y - e).abs());
/// assert!(differs.fold(0.0, f64::max) < 1e-15);
/// ```
///
/// Source: [PyTorch, `nn.Upsample`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpsampleAligned<const FH: usize, const FW: usize>;

between!(UpsampleAligned, corners);
