//! Convolution: `K` filters slide over the volume.

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::slide::{Geometry, Slide, each_tap, sizes};
use super::word::word;
use super::{Choice, Layer, Repack, Ungrouped};
use crate::kernel::{self, Algorithm, Packed, Sizes};
use crate::shape::{Fit, Padding};
use crate::{AnyVolume, Real, Volume};

word! {
    /// `conv(12, 5x5, stride = 1, pad = 2)`: filters slide over the volume.
    ///
    /// Reads WxHxD, writes ((W − F + 2P)/S + 1)x((H − F + 2P)/S + 1)xK, and learns F·F·D·K weights and
    /// K biases. See [`layer::Conv`](crate::layer::Conv), and with groups
    /// [`layer::GroupedConv`](crate::layer::GroupedConv).
    conv {
        /// K, how many filters: the depth of the output.
        filters: usize = first(Takes::FILTERS),
        /// F, width x height of each filter: `5x5`. Its depth is that of the input.
        size: [usize; 2] = first(Takes::Size),
        /// S, how far the filter steps: `2`, or across x down, `2x1`. 1 by default.
        stride: [usize; 2] = keyed(Takes::Stride(Some(1))),
        /// P, zeros around the input: `2`, `same` (as many as keep the size), `(before, after)` or
        /// `(top, bottom, left, right)`. None by default.
        ///
        /// `(0, 3)` is 0 above and left, 3 below and right. It is not PyTorch's `padding=(0, 3)`, 0 rows and 3
        /// columns on both sides: that is `(0, 0, 3, 3)`.
        pad: Padding = keyed(Takes::Pad),
        /// What happens when the filter does not step exactly onto the last pixel: `exact` (an error,
        /// the default), `crop` (what is left over is dropped) or `pad` (zeros are added).
        fit: Fit = keyed(Takes::Remainder),
        /// Into how many parts depth and filters are cut: each part of the filters sees one part of the
        /// depth, and the weights are so many times fewer. 1 by default; it divides both.
        groups: usize = keyed(Takes::Count {
            default: Some(1),
            zero: "0 groups leave no filters: 1 is an ordinary conv",
            form: "the number of groups is 1 or more, such as `2`",
        }),
        /// From one tap of the filter to the next: `2`, or across x down, `2x1`. The filter then covers
        /// dilation·(F − 1) + 1, which stands for F in the formula. 1 by default: no gaps.
        dilation: [usize; 2] = keyed(Takes::Dilation),
        /// `none`: no biases are learned, counted or stored in weight files; they stay zero. For a
        /// `conv` in front of a normalisation, which has a shift of its own.
        bias: bool = keyed(Takes::Bias),
    }
    Manner::Filters, Sees::Slides;
    example: "conv(12, 5x5, stride = 1, pad = 2)",
    elsewhere: &["convolution", "convolutional"],
}

/// `K` filters of `FH`×`FW`×`D`, each with a bias: the `conv` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[HO][WO][K]`, (W − F + 2P)/S + 1 columns |
/// | `filters` | `[FH][FW][D][K]`, `K` innermost: the `K` products of one input are one row |
/// | parameters | FH·FW·D·K + K |
/// | multiply-adds | HO·WO·K·FH·FW·D |
///
/// The type does not name the input's size, so one `Conv` slides over volumes of any; that the
/// output size is (W − F + 2P)/S + 1 is proved by `convnet!`.
///
/// ```
/// use convnet_core::layer::{Conv, Layer};
/// use convnet_core::Volume;
///
/// // CS231n's filter [1, 0, −1] with a bias of 0, W = 5, F = 3, S = 1, P = 0.
/// let mut conv = Conv::<f32, 1, 3, 1, 1>::ZERO;
/// conv.filters = [[[[1.0]], [[0.0]], [[-1.0]]]];
/// let x = Volume([[[0.0], [1.0], [2.0], [-1.0], [1.0]]]);
/// let mut y = Volume::<f32, 1, 3, 1>::ZERO;
/// conv.forward(&x, &mut y);
/// assert_eq!(y, Volume([[[-2.0], [2.0], [1.0]]]));
/// ```
///
/// An output that the filters cannot reach does not compile:
///
/// ```compile_fail
/// use convnet_core::layer::{Conv, Layer};
/// use convnet_core::Volume;
///
/// let conv = Conv::<f32, 3, 3, 1, 1>::ZERO;
/// let x = Volume::<f32, 5, 5, 1>::ZERO;
/// conv.forward(&x, &mut Volume::<f32, 7, 7, 1>::ZERO);
/// ```
///
/// Source: CS231n, *Convolutional Layer*.
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Conv<
    T,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G = Slide<1, 1, 0, 0>,
> {
    /// `filters[fy][fx][d][k]`.
    pub filters: [[[[T; K]; D]; FW]; FH],
    /// `bias[k]`.
    pub bias: [T; K],
    slide: PhantomData<G>,
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const FH: usize, const FW: usize, const D: usize, const K: usize, G: Geometry>
    Zeroable for Conv<T, FH, FW, D, K, G>
{
}

impl<T: Real, const FH: usize, const FW: usize, const D: usize, const K: usize, G: Geometry>
    Conv<T, FH, FW, D, K, G>
{
    /// All parameters zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        filters: [[[[T::ZERO; K]; D]; FW]; FH],
        bias: [T::ZERO; K],
        slide: PhantomData,
    };

    const fn sizes<const H: usize, const W: usize, const HO: usize, const WO: usize>() -> Sizes {
        sizes::<G>([H, W, D], [FH, FW], [HO, WO, K])
    }

    /// The filters, the weights of one tap and depth after the other.
    fn taps(&self) -> &[T] {
        self.filters.as_flattened().as_flattened().as_flattened()
    }

    /// Those, and the bias, to write.
    fn learned_mut(&mut self) -> (&mut [T], &mut [T]) {
        let filters = self.filters.as_flattened_mut().as_flattened_mut();
        (filters.as_flattened_mut(), &mut self.bias)
    }

    /// [`forward`](Layer::forward) in training, where there is memory to work in: as many scalars as
    /// [`kernel::conv_scratch`] says, or it is the direct sum.
    pub fn forward_train<const H: usize, const W: usize, const HO: usize, const WO: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        scratch: &mut impl AnyVolume<Scalar = T>,
        y: &mut Volume<T, HO, WO, K>,
    ) {
        let scratch = scratch.as_mut_slice();
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        let learned = (self.taps(), &self.bias[..]);
        let to = y.as_mut_slice();
        if !kernel::conv_forward_train(&sizes, x.as_slice(), learned, scratch, to) {
            self.forward(x, y);
        }
    }

    /// [`backward`](Layer::backward) in training, likewise; or, without a `dx`,
    /// [`backward_parameters`](Layer::backward_parameters).
    pub fn backward_train<const H: usize, const W: usize, const HO: usize, const WO: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        dx: Option<&mut Volume<T, H, W, D>>,
        dy: &Volume<T, HO, WO, K>,
        scratch: &mut impl AnyVolume<Scalar = T>,
        gradient: &mut Self,
    ) {
        let scratch = scratch.as_mut_slice();
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        if let Some(dx) = dx {
            let filters = self.taps();
            let (to, from) = (dx.as_mut_slice(), dy.as_slice());
            if !kernel::conv_backward_input_train(&sizes, to, from, filters, scratch) {
                self.backward_input(dx, dy);
            }
        }
        let (d_filters, bias) = gradient.learned_mut();
        let read = (x.as_slice(), dy.as_slice());
        if !kernel::conv_add_gradient_train(&sizes, read, scratch, d_filters, bias) {
            self.backward_parameters(x, dy, gradient);
        }
    }

    fn backward_input<const H: usize, const W: usize, const HO: usize, const WO: usize>(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
    ) {
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        let filters = self.taps();
        if !kernel::conv_backward_input(&sizes, dx.as_mut_slice(), dy.as_slice(), filters) {
            self.backward_input_plain(dx, dy);
        }
    }

    /// What [`forward`](Layer::forward) computes, in the plainest way; the kernels are tested
    /// against it.
    pub fn forward_plain<const H: usize, const W: usize, const HO: usize, const WO: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        y: &mut Volume<T, HO, WO, K>,
    ) {
        for y in y.iter_mut().flatten() {
            *y = self.bias;
        }
        each_tap(&const { Self::sizes::<H, W, HO, WO>() }, |at| {
            let y = &mut y[at.y[0]][at.y[1]];
            let filters = &self.filters[at.filter[0]][at.filter[1]];
            for (&x, filters) in x[at.x[0]][at.x[1]].iter().zip(filters) {
                for (y, &filter) in y.iter_mut().zip(filters) {
                    *y += x * filter;
                }
            }
        });
    }

    /// What the `dx` of [`backward`](Layer::backward) is.
    pub fn backward_input_plain<
        const H: usize,
        const W: usize,
        const HO: usize,
        const WO: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
    ) {
        dx.as_mut_slice().fill(T::ZERO);
        each_tap(&const { Self::sizes::<H, W, HO, WO>() }, |at| {
            let dy = &dy[at.y[0]][at.y[1]];
            let filters = &self.filters[at.filter[0]][at.filter[1]];
            for (dx, filters) in dx[at.x[0]][at.x[1]].iter_mut().zip(filters) {
                *dx += filters
                    .iter()
                    .zip(dy)
                    .map(|(&filter, &dy)| filter * dy)
                    .sum();
            }
        });
    }

    /// What [`backward_parameters`](Layer::backward_parameters) adds to `self`, a gradient.
    pub fn add_gradient_plain<const H: usize, const W: usize, const HO: usize, const WO: usize>(
        &mut self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
    ) {
        for dy in dy.iter().flatten() {
            for (d_bias, &dy) in self.bias.iter_mut().zip(dy) {
                *d_bias += dy;
            }
        }
        each_tap(&const { Self::sizes::<H, W, HO, WO>() }, |at| {
            let dy = &dy[at.y[0]][at.y[1]];
            let d_filters = &mut self.filters[at.filter[0]][at.filter[1]];
            for (&x, d_filters) in x[at.x[0]][at.x[1]].iter().zip(d_filters) {
                for (d_filter, &dy) in d_filters.iter_mut().zip(dy) {
                    *d_filter += x * dy;
                }
            }
        });
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
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for Conv<T, FH, FW, D, K, G>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, K>) {
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        let filters = self.taps();
        if !kernel::conv_forward(&sizes, x.as_slice(), filters, &self.bias, y.as_mut_slice()) {
            self.forward_plain(x, y);
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        self.backward_input(dx, dy);
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        let sizes = const { Self::sizes::<H, W, HO, WO>() };
        let (d_filters, bias) = gradient.learned_mut();
        if !kernel::conv_add_gradient(&sizes, x.as_slice(), dy.as_slice(), d_filters, bias) {
            gradient.add_gradient_plain(x, dy);
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
    const K: usize,
    const FH: usize,
    const FW: usize,
    G: Geometry,
> Repack<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for Conv<T, FH, FW, D, K, G>
{
    const SIZES: Sizes = Self::sizes::<H, W, HO, WO>();
    const FILTERS: usize = FH * FW * D * K;
    const CHOICES: [Choice; 2] = {
        let sizes = Self::sizes::<H, W, HO, WO>();
        [Choice::new(&sizes, false), Choice::new(&sizes, true)]
    };

    fn declared(&self) -> [&[T]; 2] {
        let filters = self.taps();
        [filters, &self.bias]
    }

    fn pack(algorithm: Algorithm, filters: &[T], scale: &[T], packed: &mut [T]) -> bool {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        kernel::conv_pack(sizes, algorithm, filters, scale, packed)
    }

    fn forward_packed(from: &Packed<'_, T>, x: &[T], scratch: &mut [T], y: &mut [T]) -> bool {
        kernel::conv_forward_packed(from, x, scratch, y)
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
> Ungrouped<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for Conv<T, FH, FW, D, K, G>
{
}
