//! Convolution: `K` filters slide over the volume.

mod tap;

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::Layer;
use super::plain;
use super::repack::{Choices, Repack};
use super::slide::{Geometry, Slide, sizes};
use super::word::word;
use crate::kernel::{self, Algorithm, Packed, Sizes};
use crate::shape::{Fit, Padding};
use crate::{AnyVolume, Real, Volume};

word! {
    /// `conv(12, 5x5, stride = 1, pad = 2)`: filters slide over the volume.
    ///
    /// Reads WxHxD, writes ((W − F + 2P)/S + 1)x((H − F + 2P)/S + 1)xK, and learns F·F·D·K weights and
    /// K biases. See [`layer::Conv`](crate::layer::Conv).
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
        bias: bool = keyed(Takes::BIAS),
    }
    Manner::Filters, Sees::Slides;
    example: "conv(12, 5x5, stride = 1, pad = 2)",
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
                Length::Depth,
            ],
        ),
        TensorOf::slices("bias", RoleOf::Bias),
    ],
    elsewhere: &["convolution", "convolutional"],
}

/// `K` filters of `FH`×`FW`×`FD`, each with a bias: the `conv` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[HO][WO][K]`, (W − F + 2P)/S + 1 columns |
/// | `filters` | `[FH][FW][FD][K]`, `K` innermost: the products of one input are one row |
/// | parameters | FH·FW·FD·K + K |
/// | multiply-adds | HO·WO·K·FH·FW·FD |
///
/// The type does not name the input's size, so one `Conv` slides over volumes of any; that the
/// output size is (W − F + 2P)/S + 1 is proved by `convnet!`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::layer::{Conv, Layer};
/// use convnet::Volume;
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
/// # use convnet_core as convnet;
/// use convnet::layer::{Conv, Layer};
/// use convnet::Volume;
///
/// let conv = Conv::<f32, 3, 3, 1, 1>::ZERO;
/// let x = Volume::<f32, 5, 5, 1>::ZERO;
/// conv.forward(&x, &mut Volume::<f32, 7, 7, 1>::ZERO);
/// ```
///
/// # Groups
///
/// A filter sees the whole depth, `FD` = `D`, unless the type says otherwise: then depth and filters are
/// cut into D/FD groups, as by `conv(…, groups = 2)`, and filter k sees the depths of group k·D/(FD·K).
///
/// ```text
///   x  [ D/2: group 0 | D/2: group 1 ]
///             │              │
///   y  [ K/2 filters  | K/2 filters  ]
/// ```
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::layer::{Conv, Layer, Slide};
/// use convnet::Volume;
///
/// // Two groups of one filter each: each filter sees one of the two depth slices.
/// let mut conv = Conv::<f32, 1, 1, 2, 2, Slide<1, 1, 0, 0>, 1>::ZERO;
/// conv.filters = [[[[10.0, 100.0]]]];
/// let mut y = Volume::<f32, 1, 1, 2>::ZERO;
/// conv.forward(&Volume([[[1.0, 2.0]]]), &mut y);
/// assert_eq!(y, Volume([[[10.0, 200.0]]]));
/// ```
///
/// Groups that do not divide depth and filters do not compile:
///
/// ```compile_fail
/// # use convnet_core as convnet;
/// use convnet::layer::{Conv, Layer, Slide};
/// use convnet::Volume;
///
/// let conv = Conv::<f32, 1, 1, 3, 4, Slide<1, 1, 0, 0>, 2>::ZERO;
/// conv.forward(&Volume::<f32, 1, 1, 3>::ZERO, &mut Volume::<f32, 1, 1, 4>::ZERO);
/// ```
///
/// Source: CS231n, *Convolutional Layer*; of groups, Krizhevsky, Sutskever, Hinton, *ImageNet
/// Classification with Deep Convolutional Neural Networks* (2012), section 3.5.
#[doc(alias = "Conv2d")]
#[doc(alias = "convolution")]
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Conv<
    T,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G = Slide<1, 1, 0, 0>,
    const FD: usize = D,
> {
    /// `filters[fy][fx][d][k]`, d inside the group.
    pub filters: [[[[T; K]; FD]; FW]; FH],
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
    const FD: usize,
> Zeroable for Conv<T, FH, FW, D, K, G, FD>
{
}

impl<
    T: Real,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G: Geometry,
    const FD: usize,
> Conv<T, FH, FW, D, K, G, FD>
{
    /// All parameters zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        filters: [[[[T::ZERO; K]; FD]; FW]; FH],
        bias: [T::ZERO; K],
        slide: PhantomData,
    };

    pub(super) const fn sizes<const H: usize, const W: usize, const HO: usize, const WO: usize>()
    -> Sizes {
        assert!(
            D > 0 && D.is_multiple_of(FD) && K.is_multiple_of(D / FD),
            "groups divide the depth and the filters"
        );
        Sizes {
            groups: D / FD,
            ..sizes::<G>([H, W, D], [FH, FW], [HO, WO, K])
        }
    }

    /// What computes it.
    pub(super) const fn forward_of(sizes: &Sizes) -> Forward<T> {
        match sizes.groups == 1 && sizes.are_of_scalars::<T>() {
            true => forward_of_scalars,
            false => forward,
        }
    }

    /// The filters, the weights of one tap and depth after the other.
    pub(super) fn flat(filters: &[[[[T; K]; FD]; FW]; FH]) -> &[T] {
        filters.as_flattened().as_flattened().as_flattened()
    }

    fn flat_mut(filters: &mut [[[[T; K]; FD]; FW]; FH]) -> &mut [T] {
        let rows = filters.as_flattened_mut().as_flattened_mut();
        rows.as_flattened_mut()
    }

    /// `y` = the bias and the sums of `x` and the filters.
    pub(super) fn sums<const H: usize, const W: usize, const HO: usize, const WO: usize>(
        filters: &[[[[T; K]; FD]; FW]; FH],
        bias: &[T; K],
        x: &Volume<T, H, W, D>,
        y: &mut Volume<T, HO, WO, K>,
    ) {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        let learned = [Self::flat(filters), bias];
        let forward = const { Self::forward_of(&Self::sizes::<H, W, HO, WO>()) };
        forward(sizes, x.as_slice(), learned, y.as_mut_slice());
    }

    /// `dx` = the gradient of the sums on the input.
    pub(super) fn input_gradient<
        const H: usize,
        const W: usize,
        const HO: usize,
        const WO: usize,
    >(
        filters: &[[[[T; K]; FD]; FW]; FH],
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
    ) {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        let (dx, dy, filters) = (dx.as_mut_slice(), dy.as_slice(), Self::flat(filters));
        if !kernel::conv_backward_input(sizes, dx, dy, filters) {
            // Never `None`, as the sizes say.
            let _ = plain::backward_input(sizes, dx, dy, filters, tap::backward_input);
        }
    }

    /// Adds the gradient of the sums on the filters, and the one on the bias.
    pub(super) fn add_gradient<const H: usize, const W: usize, const HO: usize, const WO: usize>(
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        d_filters: &mut [[[[T; K]; FD]; FW]; FH],
        d_bias: &mut [T; K],
    ) {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        let (x, dy, d_filters) = (x.as_slice(), dy.as_slice(), Self::flat_mut(d_filters));
        if !kernel::conv_add_gradient(sizes, x, dy, d_filters, d_bias) {
            // Never `None`, as the sizes say.
            let _ = plain::add_gradient(sizes, [x, dy], d_filters, d_bias, tap::add_gradient);
        }
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
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        let learned = (Self::flat(&self.filters), &self.bias[..]);
        let to = y.as_mut_slice();
        if !kernel::conv_forward_train(sizes, x.as_slice(), learned, scratch, to) {
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
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        if let Some(dx) = dx {
            let filters = Self::flat(&self.filters);
            let (to, from) = (dx.as_mut_slice(), dy.as_slice());
            if !kernel::conv_backward_input_train(sizes, to, from, filters, scratch) {
                Self::input_gradient(&self.filters, dx, dy);
            }
        }
        let Self { filters, bias, .. } = &mut *gradient;
        let (read, d_weights) = ((x.as_slice(), dy.as_slice()), Self::flat_mut(filters));
        if !kernel::conv_add_gradient_train(sizes, read, scratch, d_weights, bias) {
            Self::add_gradient(x, dy, filters, bias);
        }
    }
}

/// `y` = the bias and the sums of `x` and the filters, of sizes.
pub(crate) type Forward<T> = fn(&Sizes, &[T], [&[T]; 2], &mut [T]);

/// Where [nothing else](Sizes::are_of_scalars) is needed.
fn forward_of_scalars<T: Real>(sizes: &Sizes, x: &[T], learned: [&[T]; 2], y: &mut [T]) {
    let done = kernel::conv_of_scalars(sizes, x, learned, y);
    debug_assert!(done, "sizes are of scalars");
}

/// In any case. Compiled once a scalar, not once a layer.
#[inline(never)]
pub(crate) fn forward<T: Real>(sizes: &Sizes, x: &[T], [filters, bias]: [&[T]; 2], y: &mut [T]) {
    if !kernel::conv_forward(sizes, x, filters, bias, y) {
        // Never `None`, as the sizes say.
        let _ = plain::forward(sizes, x, [filters, bias], y, tap::forward);
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
    const FD: usize,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for Conv<T, FH, FW, D, K, G, FD>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, K>) {
        Self::sums(&self.filters, &self.bias, x, y);
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        Self::input_gradient(&self.filters, dx, dy);
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        Self::add_gradient(x, dy, &mut gradient.filters, &mut gradient.bias);
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
    const FD: usize,
> Repack<Volume<T, H, W, D>, Volume<T, HO, WO, K>> for Conv<T, FH, FW, D, K, G, FD>
{
    const SIZES: Sizes = Self::sizes::<H, W, HO, WO>();
    const FILTERS: usize = FH * FW * FD * K;
    const CHOICES: Choices = Choices::of_conv(&Self::sizes::<H, W, HO, WO>());

    fn declared(&self) -> [&[T]; 2] {
        [Self::flat(&self.filters), &self.bias]
    }

    fn pack(algorithm: Algorithm, filters: &[T], scale: &[T], packed: &mut [T]) -> bool {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        kernel::conv_pack(sizes, algorithm, filters, scale, packed)
    }

    fn forward_packed(from: &Packed<'_, T>, x: &[T], scratch: &mut [T], y: &mut [T]) -> bool {
        kernel::conv_forward_packed(from, x, scratch, y)
    }
}
