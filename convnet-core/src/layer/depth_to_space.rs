//! Larger maps out of deeper ones.

use super::Layer;
use super::word::word;
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::{Real, Volume};

word! {
    /// `depth_to_space(2x2)`: each depth column becomes 2x2 pixels that are four times less deep.
    ///
    /// Reads WxHxD, writes F·WxF·Hx(D/F·F). See [`layer::DepthToSpace`](crate::layer::DepthToSpace).
    depth_to_space {
        /// F, how many times as wide and high: `2x2`.
        size: [usize; 2] = first(Takes::Size),
    }
    Manner::Averages, Sees::Stamps;
    example: "depth_to_space(2x2)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
    ],
    elsewhere: &["pixelshuffle", "subpixel"],
}

/// A depth column as `FH`×`FW` pixels, the first K slices being the upper left one: the `depth_to_space` of a
/// declaration, TensorFlow's, and ONNX's in its mode `DCR`.
///
/// ```text
///  x: a0 a1 b0 b1 c0 c1 d0 d1        y: a0 a1 │ b0 b1
///                                      c0 c1 │ d0 d1
/// ```
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][FH·FW·K]` |
/// | writes `y` | `[FH·H][FW·W][K]` |
///
/// PyTorch's `PixelShuffle(2)` to a depth of K takes its slices in turn: `channel_shuffle(K), depth_to_space(2x2)`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{DepthToSpace, Layer};
///
/// let mut y = Volume::<f32, 2, 2, 1>::ZERO;
/// DepthToSpace::<2, 2>::new().forward(&Volume([[[1.0, 2.0, 3.0, 4.0]]]), &mut y);
/// assert_eq!(y, Volume([[[1.0], [2.0]], [[3.0], [4.0]]]));
/// ```
///
/// Source: Shi et al., *Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
/// Neural Network* (2016), section 3.2; [ONNX, `DepthToSpace`](https://onnx.ai/onnx/operators/onnx__DepthToSpace.html).
#[doc(alias = "PixelShuffle")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DepthToSpace<const FH: usize, const FW: usize>;

impl<const FH: usize, const FW: usize> DepthToSpace<FH, FW> {
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
        deepen::<T, FH, FW, HO, WO, K, H, W, D>(dy, dx);
    }
}

/// Pixels of `x` side by side become one depth column of `y`.
pub(super) fn deepen<
    T: Real,
    const FH: usize,
    const FW: usize,
    const H: usize,
    const W: usize,
    const D: usize,
    const HO: usize,
    const WO: usize,
    const K: usize,
>(
    x: &Volume<T, H, W, D>,
    y: &mut Volume<T, HO, WO, K>,
) {
    const { fits([FH, FW], [HO, WO, K], [H, W, D]) };
    for (y, rows) in y.iter_mut().zip(pieces(&x[..], FH)) {
        for (down, row) in rows.iter().enumerate() {
            for (y, pixels) in y.iter_mut().zip(pieces(row, FW)) {
                let y = pieces_mut(y, FW * D).nth(down).into_iter().flatten();
                y.zip(pixels.as_flattened()).for_each(|(y, &x)| *y = x);
            }
        }
    }
}

const fn fits(size: [usize; 2], small: [usize; 3], large: [usize; 3]) {
    assert!(
        large[0] == size[0] * small[0]
            && large[1] == size[1] * small[1]
            && small[2] == size[0] * size[1] * large[2],
        "F times as wide and high, and as much less deep"
    );
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
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for DepthToSpace<FH, FW>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, K>) {
        const { fits([FH, FW], [H, W, D], [HO, WO, K]) };
        for (x, rows) in x.iter().zip(pieces_mut(&mut y[..], FH)) {
            for (down, row) in rows.iter_mut().enumerate() {
                for (x, pixels) in x.iter().zip(pieces_mut(row, FW)) {
                    let x = pieces(x, FW * K).nth(down).into_iter().flatten();
                    let y = pixels.as_flattened_mut().iter_mut();
                    y.zip(x).for_each(|(y, &x)| *y = x);
                }
            }
        }
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
