//! Deeper maps out of larger ones.

use super::depth_to_space::deepen;
use super::word::word;
use super::{DepthToSpace, Layer};
use crate::{Real, Volume};

word! {
    /// `space_to_depth(2x2)`: 2x2 pixels become one depth column that is four times as deep.
    ///
    /// Reads WxHxD, writes (W/F)x(H/F)xF·F·D. See [`layer::SpaceToDepth`](crate::layer::SpaceToDepth).
    space_to_depth {
        /// F, how many pixels become one: `2x2`.
        size: [usize; 2] = first(Takes::Size),
    }
    Manner::Averages, Sees::Pools;
    example: "space_to_depth(2x2)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
    ],
    elsewhere: &["pixelunshuffle", "reorg", "focus"],
}

/// `FH`×`FW` pixels as one depth column, the upper left one first: the `space_to_depth` of a declaration,
/// TensorFlow's and ONNX's.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[FH·H][FW·W][D]` |
/// | writes `y` | `[H][W][FH·FW·D]` |
///
/// PyTorch's `PixelUnshuffle(2)` has another order: `space_to_depth(2x2), channel_shuffle(4)`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, SpaceToDepth};
///
/// let mut y = Volume::<f32, 1, 1, 4>::ZERO;
/// SpaceToDepth::<2, 2>::new().forward(&Volume([[[1.0], [2.0]], [[3.0], [4.0]]]), &mut y);
/// assert_eq!(y, Volume([[[1.0, 2.0, 3.0, 4.0]]]));
/// ```
///
/// Source: [ONNX, `SpaceToDepth`](https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html).
#[doc(alias = "PixelUnshuffle")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceToDepth<const FH: usize, const FW: usize>;

impl<const FH: usize, const FW: usize> SpaceToDepth<FH, FW> {
    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// As [`backward`](Layer::backward): every number goes back to where it was.
    pub fn backward_input<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const HO: usize,
        const WO: usize,
        const K: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
    ) {
        DepthToSpace::<FH, FW>::new().forward(dy, dx);
    }
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const D: usize,
    const HO: usize,
    const WO: usize,
    const K: usize,
    const FH: usize,
    const FW: usize,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for SpaceToDepth<FH, FW>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, K>) {
        deepen::<T, FH, FW, H, W, D, HO, WO, K>(x, y);
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, HO, WO, K>, _: &mut Self) {}
}
