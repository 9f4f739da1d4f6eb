//! Transposed convolution: a conv's way back, which makes a volume larger.

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::Layer;
use super::slide::{Geometry, Slide, each_tap, sizes};
use super::word::word;
use crate::kernel::{self, Sizes};
use crate::shape::Padding;
use crate::{Real, Volume};

word! {
    /// `conv_transpose(12, 4x4, stride = 2, pad = 1)`: a conv's way back, which makes a volume larger.
    ///
    /// Reads WxHxD, writes (S·(W − 1) + F − 2P)x(S·(H − 1) + F − 2P)xK, that of which a conv would make
    /// WxH, and learns F·F·D·K weights and K biases. See
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
    }
    Manner::Filters, Sees::Stamps;
    example: "conv_transpose(12, 4x4, stride = 2, pad = 1)",
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
/// | `filters` | `[FH][FW][K][D]`, as those of that conv |
/// | parameters | FH·FW·K·D + K |
/// | multiply-adds | H·W·D·FH·FW·K |
///
/// Forward is that conv's backward, and backward its forward: the same kernels, the other way
/// round. Where S does not divide F the stamps overlap unevenly, which shows as a checkerboard.
///
/// ```
/// use convnet_core::Volume;
/// use convnet_core::layer::{ConvTranspose, Layer, Slide};
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
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct ConvTranspose<
    T,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G = Slide<1, 1, 0, 0>,
> {
    /// `filters[fy][fx][k][d]`.
    pub filters: [[[[T; D]; K]; FW]; FH],
    /// `bias[k]`.
    pub bias: [T; K],
    slide: PhantomData<G>,
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const FH: usize, const FW: usize, const D: usize, const K: usize, G: Geometry>
    Zeroable for ConvTranspose<T, FH, FW, D, K, G>
{
}

impl<T: Real, const FH: usize, const FW: usize, const D: usize, const K: usize, G: Geometry>
    ConvTranspose<T, FH, FW, D, K, G>
{
    /// All parameters zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        filters: [[[[T::ZERO; D]; K]; FW]; FH],
        bias: [T::ZERO; K],
        slide: PhantomData,
    };

    /// Those of the conv that reads `y` and writes `x`.
    const fn sizes<const H: usize, const W: usize, const HO: usize, const WO: usize>() -> Sizes {
        sizes::<G>([HO, WO, K], [FH, FW], [H, W, D])
    }

    fn flat(&self) -> &[T] {
        self.filters.as_flattened().as_flattened().as_flattened()
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
    G: Geometry,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for ConvTranspose<T, FH, FW, D, K, G>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, K>) {
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        if !kernel::conv_backward_input(&sizes, y.as_mut_slice(), x.as_slice(), self.flat()) {
            y.as_mut_slice().fill(T::ZERO);
            each_tap(&sizes, |at| {
                let x = &x[at.y[0]][at.y[1]];
                let filters = &self.filters[at.filter[0]][at.filter[1]];
                for (y, filter) in y[at.x[0]][at.x[1]].iter_mut().zip(filters) {
                    *y += filter.iter().zip(x).map(|(&filter, &x)| filter * x).sum();
                }
            });
        }
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
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        let zeros = &[T::ZERO; D];
        let (dx_flat, dy_flat) = (dx.as_mut_slice(), dy.as_slice());
        if !kernel::conv_forward(&sizes, dy_flat, self.flat(), zeros, dx_flat) {
            dx.as_mut_slice().fill(T::ZERO);
            each_tap(&sizes, |at| {
                let dx = &mut dx[at.y[0]][at.y[1]];
                let filters = &self.filters[at.filter[0]][at.filter[1]];
                for (&dy, filter) in dy[at.x[0]][at.x[1]].iter().zip(filters) {
                    for (dx, &filter) in dx.iter_mut().zip(filter) {
                        *dx += dy * filter;
                    }
                }
            });
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        for dy in dy.iter().flatten() {
            for (d_bias, &dy) in gradient.bias.iter_mut().zip(dy) {
                *d_bias += dy;
            }
        }
        // The kernel also sums x, for the bias that the conv would have: a depth column on the stack.
        let mut unused = [T::ZERO; D];
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        let d_filters = gradient.filters.as_flattened_mut().as_flattened_mut();
        let d_flat = d_filters.as_flattened_mut();
        let (x_flat, dy_flat) = (x.as_slice(), dy.as_slice());
        if !kernel::conv_add_gradient(&sizes, dy_flat, x_flat, d_flat, &mut unused) {
            each_tap(&sizes, |at| {
                let x = &x[at.y[0]][at.y[1]];
                let d_filters = &mut gradient.filters[at.filter[0]][at.filter[1]];
                for (&dy, d_filter) in dy[at.x[0]][at.x[1]].iter().zip(d_filters) {
                    for (d_filter, &x) in d_filter.iter_mut().zip(x) {
                        *d_filter += dy * x;
                    }
                }
            });
        }
    }
}
