//! Transposed convolution: a conv's way back, which makes a volume larger.

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::Layer;
use super::conv::Conv;
use super::slide::{Geometry, Slide, add_columns};
use super::word::word;
use crate::shape::Padding;
use crate::{Real, Volume};

word! {
    /// `conv_transpose(12, 4x4, stride = 2, pad = 1)`: a conv's way back, which makes a volume larger.
    ///
    /// Reads WxHxD, writes (S·(W − 1) + F − 2P)x(S·(H − 1) + F − 2P)xK, that of which a conv would make
    /// WxH, and learns F·F·D·K/groups weights and K biases. See
    /// [`layer::ConvTranspose`](crate::layer::ConvTranspose).
    conv_transpose {
        /// K, how many filters: the depth of the output.
        filters: usize = first(Takes::FILTERS),
        /// F, width x height of each filter: `4x4`.
        size: [usize; 2] = first(Takes::Size),
        /// S, how far apart two neighbours stamp their filters. 1 by default.
        stride: [usize; 2] = keyed(Takes::Stride(Some(1))),
        /// P, how much of the border is cut off. None by default.
        pad: Padding = keyed(Takes::Pad),
        /// How many rows and columns more are written below and right, as a conv drops them whose stride does not
        /// step exactly: PyTorch's `output_padding`. None by default.
        output_pad: usize = keyed(Takes::Count {
            default: Some(0),
            zero: "without `output_pad` no row or column is added",
            form: "how many rows and columns are added is a number, such as `1`",
        }),
        /// Into how many parts depth and filters are cut: each part of the depth stamps its part of the
        /// filters. 1 by default; it divides both.
        groups: usize = keyed(Takes::Count {
            default: Some(1),
            zero: "0 groups leave no filters: 1 is an ordinary conv_transpose",
            form: "the number of groups is 1 or more, such as `2`",
        }),
        /// From one tap of the filter to the next: `2`, or across x down, `2x1`. The stamp then covers
        /// dilation·(F − 1) + 1, which stands for F in the formula. 1 by default: no gaps.
        dilation: [usize; 2] = keyed(Takes::Dilation),
        /// `none`: no biases are learned, counted or stored in weight files; they stay zero.
        bias: bool = keyed(Takes::BIAS),
    }
    Manner::Filters, Sees::Stamps;
    example: "conv_transpose(12, 4x4, stride = 2, pad = 1)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
        Generic::Length(Length::InputDepth),
        Generic::Length(Length::Depth),
        Generic::Slide,
        Generic::Group,
    ],
    tensors: &[
        TensorOf::filters(
            RoleOf::Filters,
            &[
                Length::FilterHeight,
                Length::FilterWidth,
                Length::FilterDepth,
                Length::InputDepth,
            ],
        ),
        TensorOf::slices("bias", RoleOf::Bias),
    ],
    elsewhere: &[
        "deconv",
        "deconvolution",
        "upconv",
        "transposedconv",
        "transposeconv",
    ],
}

/// `K` filters of `FH`×`FW`×`D`: every input stamps its multiple of them onto the output, S pixels
/// apart. The `conv_transpose` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[HO][WO][K]`, S·(W − 1) + F − 2P columns: that of which a conv would make W |
/// | `filters` | `[FH][FW][KG][D]`, as those of that conv; KG is K, or that of a group |
/// | parameters | FH·FW·KG·D + K |
/// | multiply-adds | H·W·D·FH·FW·KG |
///
/// Forward is that conv's gradient on its input, and backward its forward: the same sums, with x and y
/// exchanged. Where S does not divide F the stamps overlap unevenly, which shows as a checkerboard. A few columns
/// more, `output_pad`, are those that the conv would drop, where its stride does not step exactly; the type does not
/// name them, for its output does. Groups cut both depths, as those of [`Conv`]: each part of the depth stamps on its
/// own part of the K.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{ConvTranspose, Layer, Slide};
///
/// let mut stamp = ConvTranspose::<f32, 1, 3, 1, 1, Slide<1, 2, 0, 0>>::ZERO;
/// stamp.filters = [[[[1.0]], [[2.0]], [[1.0]]]];
/// let mut y = Volume::<f32, 1, 5, 1>::ZERO;
/// stamp.forward(&Volume([[[1.0], [10.0]]]), &mut y);
/// assert_eq!(y, Volume([[[1.0], [2.0], [11.0], [20.0], [10.0]]]));
/// ```
///
/// Source: Zeiler et al., *Deconvolutional Networks* (2010); Dumoulin and Visin, *A guide to
/// convolution arithmetic for deep learning* (2016), chapter 4.
#[doc(alias = "ConvTranspose2d")]
#[doc(alias = "Conv2DTranspose")]
#[doc(alias = "deconvolution")]
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct ConvTranspose<
    T,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G = Slide<1, 1, 0, 0>,
    const KG: usize = K,
> {
    /// `filters[fy][fx][k][d]`, k inside the group of d.
    pub filters: [[[[T; D]; KG]; FW]; FH],
    /// `bias[k]`.
    pub bias: [T; K],
    slide: PhantomData<G>,
}

// SAFETY: scalars, which are zeroable, and padding.
#[expect(unsafe_code, reason = "zeros are a layer")]
unsafe impl<
    T: Real,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G: Geometry,
    const KG: usize,
> Zeroable for ConvTranspose<T, FH, FW, D, K, G, KG>
{
}

impl<
    T: Real,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G: Geometry,
    const KG: usize,
> ConvTranspose<T, FH, FW, D, K, G, KG>
{
    /// All parameters zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        filters: [[[[T::ZERO; D]; KG]; FW]; FH],
        bias: [T::ZERO; K],
        slide: PhantomData,
    };
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
    G: Geometry,
    const KG: usize,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for ConvTranspose<T, FH, FW, D, K, G, KG>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, K>) {
        Conv::<T, FH, FW, K, D, G, KG>::input_gradient(&self.filters, y, x);
        for y in y.iter_mut().flatten() {
            for (y, &bias) in y.iter_mut().zip(&self.bias) {
                *y += bias;
            }
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        Conv::<T, FH, FW, K, D, G, KG>::sums(&self.filters, &[T::ZERO; D], dy, dx);
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        add_columns(dy.as_slice(), &mut gradient.bias);
        // The conv would have a bias for each depth of x: a depth column on the stack.
        let mut unused = [T::ZERO; D];
        Conv::<T, FH, FW, K, D, G, KG>::add_gradient(dy, x, &mut gradient.filters, &mut unused);
    }
}
