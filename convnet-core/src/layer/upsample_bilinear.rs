//! Larger maps, with pixels between pixels.

use super::between::between;
use super::word::word;

word! {
    /// `upsample_bilinear(2x2)`: each pixel becomes 2x2, between it and its neighbours.
    ///
    /// Reads WxHxD, writes F·WxF·HxD. See [`layer::UpsampleBilinear`](crate::layer::UpsampleBilinear).
    upsample_bilinear {
        /// F, how many times as wide and high: `2x2`.
        size: [usize; 2] = first(Takes::Size),
    }
    Manner::Averages, Sees::Between;
    example: "upsample_bilinear(2x2)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
    ],
    elsewhere: &["upsamplingbilinear"],
}

/// `FH` times as high and `FW` times as wide, by bilinear interpolation: the `upsample_bilinear` of a declaration, and
/// PyTorch's `Upsample(mode='bilinear')`.
///
/// Pixels are squares: an output's centre lies between the centres of four inputs, and at the border there are fewer.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[FH·H][FW·W][D]` |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, UpsampleBilinear};
///
/// let mut y = Volume::<f64, 1, 4, 1>::ZERO;
/// UpsampleBilinear::<1, 2>::new().forward(&Volume([[[1.0], [3.0]]]), &mut y);
/// let expected = [1.0, 1.5, 2.5, 3.0];
/// let differs = y.as_slice().iter().zip(expected).map(|(y, e): (&f64, f64)| (y - e).abs());
/// assert!(differs.fold(0.0, f64::max) < 1e-15);
/// ```
///
/// Source: [PyTorch, `nn.Upsample`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpsampleBilinear<const FH: usize, const FW: usize>;

between!(UpsampleBilinear, centres);
