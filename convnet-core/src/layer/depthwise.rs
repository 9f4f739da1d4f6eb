//! Depthwise convolution: one filter a depth slice.

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::Layer;
use super::plain;
use super::repack::Repack;
use super::slide::{Geometry, Slide, add_products, sizes};
use super::word::word;
use crate::kernel::{self, Clamp, Packed, Sizes};
use crate::shape::{Fit, Padding};
use crate::{Real, Volume};

word! {
    /// `depthwise(3x3, stride = 1, pad = 1)`: one filter for each depth slice.
    ///
    /// Reads WxHxD, writes ((W − F + 2P)/S + 1)x((H − F + 2P)/S + 1)xD, and learns F·F·D weights and D
    /// biases. See [`layer::Depthwise`](crate::layer::Depthwise).
    depthwise {
        /// F, width x height of each filter: `3x3`.
        size: [usize; 2] = first(Takes::Size),
        /// S. As for [`conv`](crate::dsl::conv).
        stride: [usize; 2] = keyed(Takes::Stride(Some(1))),
        /// P. As for [`conv`](crate::dsl::conv).
        pad: Padding = keyed(Takes::Pad),
        /// As for [`conv`](crate::dsl::conv).
        fit: Fit = keyed(Takes::Remainder),
        /// As for [`conv`](crate::dsl::conv).
        dilation: [usize; 2] = keyed(Takes::Dilation),
        /// As for [`conv`](crate::dsl::conv).
        bias: bool = keyed(Takes::BIAS),
    }
    Manner::Filters, Sees::Slides;
    example: "depthwise(3x3, stride = 1, pad = 1)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
        Generic::Length(Length::Depth),
        Generic::Slide,
    ],
    tensors: &[
        TensorOf::filters(
            RoleOf::Filters,
            &[
                Length::FilterHeight,
                Length::FilterWidth,
                Length::One,
                Length::Depth,
            ],
        ),
        TensorOf::slices("bias", RoleOf::Bias),
    ],
    elsewhere: &["depthwiseconv", "dwconv", "separableconv"],
}

/// `D` filters of `FH`×`FW`, each for its own depth slice: the `depthwise` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[HO][WO][D]`, (W − F + 2P)/S + 1 columns |
/// | `filters` | `[FH][FW][1][D]` |
/// | parameters | FH·FW·D + D |
/// | multiply-adds | HO·WO·FH·FW·D |
///
/// It is a [`Conv`](super::Conv) in `D` groups with one filter each.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Depthwise, Layer};
///
/// let mut sums = Depthwise::<f32, 1, 2, 2>::ZERO;
/// sums.filters = [[[[1.0, 10.0]], [[1.0, 10.0]]]];
/// let mut y = Volume::<f32, 1, 2, 2>::ZERO;
/// sums.forward(&Volume([[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]]), &mut y);
/// assert_eq!(y, Volume([[[3.0, 90.0], [5.0, 110.0]]]));
/// ```
///
/// Source: Howard et al., *MobileNets* (2017), section 3.1.
#[doc(alias = "DepthwiseConv2D")]
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Depthwise<T, const FH: usize, const FW: usize, const D: usize, G = Slide<1, 1, 0, 0>> {
    /// `filters[fy][fx][0][d]`.
    pub filters: [[[[T; D]; 1]; FW]; FH],
    /// `bias[d]`.
    pub bias: [T; D],
    slide: PhantomData<G>,
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const FH: usize, const FW: usize, const D: usize, G: Geometry> Zeroable
    for Depthwise<T, FH, FW, D, G>
{
}

impl<T: Real, const FH: usize, const FW: usize, const D: usize, G: Geometry>
    Depthwise<T, FH, FW, D, G>
{
    /// All parameters zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        filters: [[[[T::ZERO; D]; 1]; FW]; FH],
        bias: [T::ZERO; D],
        slide: PhantomData,
    };

    fn flat(&self) -> &[T] {
        self.filters.as_flattened().as_flattened().as_flattened()
    }

    const fn sizes<const H: usize, const W: usize, const HO: usize, const WO: usize>() -> Sizes {
        Sizes {
            groups: D,
            ..sizes::<G>([H, W, D], [FH, FW], [HO, WO, D])
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
    G: Geometry,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for Depthwise<T, FH, FW, D, G>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, D>) {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        let learned = [self.flat(), &self.bias];
        let forward = match const { Self::sizes::<H, W, HO, WO>().are_of_scalars::<T>() } {
            true => forward_of_scalars,
            false => forward,
        };
        forward(sizes, x.as_slice(), learned, y.as_mut_slice());
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
        gradient: &mut Self,
    ) {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        let (dx, dy_flat) = (dx.as_mut_slice(), dy.as_slice());
        if !kernel::depthwise_backward_input(sizes, dx, dy_flat, self.flat()) {
            // Never `None`, as the sizes say.
            let _ = plain::backward_input(sizes, dx, dy_flat, self.flat(), tap);
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
        gradient: &mut Self,
    ) {
        let sizes = const { &Self::sizes::<H, W, HO, WO>() };
        let Self { filters, bias, .. } = gradient;
        let d_filters = filters.as_flattened_mut().as_flattened_mut();
        let (d_filters, x, dy) = (d_filters.as_flattened_mut(), x.as_slice(), dy.as_slice());
        if !kernel::depthwise_add_gradient(sizes, x, dy, d_filters, bias) {
            // Never `None`, as the sizes say.
            let _ = plain::add_gradient(sizes, [x, dy], d_filters, bias, tap);
        }
    }
}

/// Where [nothing else](Sizes::are_of_scalars) is needed.
fn forward_of_scalars<T: Real>(sizes: &Sizes, x: &[T], learned: [&[T]; 2], y: &mut [T]) {
    let done = kernel::depthwise_of_scalars(sizes, x, learned, y);
    debug_assert!(done, "sizes are of scalars");
}

/// Compiled once a scalar, not once a layer.
#[inline(never)]
fn forward<T: Real>(sizes: &Sizes, x: &[T], [filters, bias]: [&[T]; 2], y: &mut [T]) {
    if !kernel::depthwise_forward(sizes, x, (filters, bias), Clamp::None, y) {
        // Never `None`, as the sizes say.
        let _ = plain::forward(sizes, x, [filters, bias], y, tap);
    }
}

/// One tap, of whose depths none has to do with another.
fn tap<T: Real>(_: usize, sums: &mut [T], a: &[T], b: &[T]) {
    add_products(sums, a, b);
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
    G: Geometry,
> Repack<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for Depthwise<T, FH, FW, D, G>
{
    const SIZES: Sizes = Self::sizes::<H, W, HO, WO>();
    const FILTERS: usize = FH * FW * D;

    fn declared(&self) -> [&[T]; 2] {
        [self.flat(), &self.bias]
    }

    fn forward_packed(from: &Packed<'_, T>, x: &[T], _: &mut [T], y: &mut [T]) -> bool {
        let parameters = (from.packed, from.bias);
        kernel::depthwise_forward(from.sizes, x, parameters, from.clamp, y)
    }
}
