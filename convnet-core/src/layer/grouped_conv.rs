//! Convolution in groups: each part of the filters sees one part of the depth.

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::slide::{Geometry, Slide, each_tap, sizes};
use super::{Layer, Repack};
use crate::kernel::{self, Packed, Sizes};
use crate::{Real, Volume};

/// `K` filters of `FH`×`FW`×`D`, where `D` is the depth of one group: the
/// `conv(…, groups = G)` of a declaration.
///
/// ```text
///   x  [ D: group 0 | D: group 1 ]          G = depth of x / D
///            │            │
///   y  [ K/G filters | K/G filters ]
/// ```
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][G·D]` |
/// | writes `y` | `[HO][WO][K]`, (W − F + 2P)/S + 1 columns |
/// | `filters` | `[FH][FW][D][K]`: filter k belongs to group k·G/K |
/// | parameters | FH·FW·D·K + K |
/// | multiply-adds | HO·WO·K·FH·FW·D |
///
/// A [`Conv`](super::Conv) is this with one group. As there, the type does not name the input's
/// size, and how many groups there are is said by the depth of the volume.
///
/// ```
/// use convnet_core::Volume;
/// use convnet_core::layer::{GroupedConv, Layer};
///
/// // Two groups of one filter each: each filter sees one of the two depth slices.
/// let mut conv = GroupedConv::<f32, 1, 1, 1, 2>::ZERO;
/// conv.filters = [[[[10.0, 100.0]]]];
/// let mut y = Volume::<f32, 1, 1, 2>::ZERO;
/// conv.forward(&Volume([[[1.0, 2.0]]]), &mut y);
/// assert_eq!(y, Volume([[[10.0, 200.0]]]));
/// ```
///
/// Groups that do not divide depth and filters do not compile:
///
/// ```compile_fail
/// use convnet_core::Volume;
/// use convnet_core::layer::{GroupedConv, Layer};
///
/// let conv = GroupedConv::<f32, 1, 1, 2, 4>::ZERO;
/// conv.forward(&Volume::<f32, 1, 1, 3>::ZERO, &mut Volume::<f32, 1, 1, 4>::ZERO);
/// ```
///
/// Source: Krizhevsky, Sutskever, Hinton, *ImageNet Classification with Deep Convolutional Neural
/// Networks* (2012), section 3.5.
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct GroupedConv<
    T,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G = Slide<1, 1, 0, 0>,
> {
    /// `filters[fy][fx][d][k]`, d inside the group.
    pub filters: [[[[T; K]; D]; FW]; FH],
    /// `bias[k]`.
    pub bias: [T; K],
    slide: PhantomData<G>,
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const FH: usize, const FW: usize, const D: usize, const K: usize, G: Geometry>
    Zeroable for GroupedConv<T, FH, FW, D, K, G>
{
}

impl<T: Real, const FH: usize, const FW: usize, const D: usize, const K: usize, G: Geometry>
    GroupedConv<T, FH, FW, D, K, G>
{
    /// All parameters zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        filters: [[[[T::ZERO; K]; D]; FW]; FH],
        bias: [T::ZERO; K],
        slide: PhantomData,
    };

    const fn sizes<
        const H: usize,
        const W: usize,
        const DX: usize,
        const HO: usize,
        const WO: usize,
    >() -> Sizes {
        assert!(
            DX > 0 && DX.is_multiple_of(D) && K.is_multiple_of(DX / D),
            "groups divide the depth and the filters"
        );
        sizes::<G>([H, W, DX], [FH, FW], [HO, WO, K])
    }
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const DX: usize,
    const D: usize,
    const HO: usize,
    const WO: usize,
    const K: usize,
    const FH: usize,
    const FW: usize,
    G: Geometry,
> Layer<Volume<T, H, W, DX>, Volume<T, HO, WO, K>> for GroupedConv<T, FH, FW, D, K, G>
{
    fn forward(&self, x: &Volume<T, H, W, DX>, y: &mut Volume<T, HO, WO, K>) {
        let sizes = const { Self::sizes::<H, W, DX, HO, WO>() };
        let filters = self.filters.as_flattened().as_flattened().as_flattened();
        let parameters = (filters, &self.bias[..]);
        let (x_flat, y_flat) = (x.as_slice(), y.as_mut_slice());
        if kernel::grouped_conv_forward(&sizes, DX / D, x_flat, parameters, y_flat) {
            return;
        }
        for y in y.iter_mut().flatten() {
            *y = self.bias;
        }
        let part = const { K / (DX / D) };
        each_tap(&sizes, |at| {
            let y = y[at.y[0]][at.y[1]].chunks_exact_mut(part);
            let x = x[at.x[0]][at.x[1]].chunks_exact(D);
            let filters = &self.filters[at.filter[0]][at.filter[1]];
            for (g, (y, x)) in y.zip(x).enumerate() {
                for (&x, filters) in x.iter().zip(filters) {
                    for (y, &filter) in y.iter_mut().zip(&filters[g * part..]) {
                        *y += x * filter;
                    }
                }
            }
        });
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, DX>,
        dx: &mut Volume<T, H, W, DX>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        let sizes = const { Self::sizes::<H, W, DX, HO, WO>() };
        let filters = self.filters.as_flattened().as_flattened().as_flattened();
        let (dx_flat, dy_flat) = (dx.as_mut_slice(), dy.as_slice());
        if !kernel::grouped_conv_backward_input(&sizes, DX / D, dx_flat, dy_flat, filters) {
            dx.as_mut_slice().fill(T::ZERO);
            let part = const { K / (DX / D) };
            each_tap(&sizes, |at| {
                let dy = dy[at.y[0]][at.y[1]].chunks_exact(part);
                let dx = dx[at.x[0]][at.x[1]].chunks_exact_mut(D);
                let filters = &self.filters[at.filter[0]][at.filter[1]];
                for (g, (dy, dx)) in dy.zip(dx).enumerate() {
                    for (dx, filters) in dx.iter_mut().zip(filters) {
                        let products = filters[g * part..].iter().zip(dy);
                        *dx += products.map(|(&filter, &dy)| filter * dy).sum();
                    }
                }
            });
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, DX>,
        dy: &Volume<T, HO, WO, K>,
        gradient: &mut Self,
    ) {
        let sizes = const { Self::sizes::<H, W, DX, HO, WO>() };
        let d_filters = gradient.filters.as_flattened_mut().as_flattened_mut();
        let d_flat = (d_filters.as_flattened_mut(), &mut gradient.bias[..]);
        let (x_flat, dy_flat) = (x.as_slice(), dy.as_slice());
        if kernel::grouped_conv_add_gradient(&sizes, DX / D, x_flat, dy_flat, d_flat) {
            return;
        }
        for dy in dy.iter().flatten() {
            for (d_bias, &dy) in gradient.bias.iter_mut().zip(dy) {
                *d_bias += dy;
            }
        }
        let part = const { K / (DX / D) };
        each_tap(&sizes, |at| {
            let dy = dy[at.y[0]][at.y[1]].chunks_exact(part);
            let x = x[at.x[0]][at.x[1]].chunks_exact(D);
            let d_filters = &mut gradient.filters[at.filter[0]][at.filter[1]];
            for (g, (dy, x)) in dy.zip(x).enumerate() {
                for (&x, d_filters) in x.iter().zip(d_filters.iter_mut()) {
                    for (d_filter, &dy) in d_filters[g * part..].iter_mut().zip(dy) {
                        *d_filter += x * dy;
                    }
                }
            }
        });
    }
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const DX: usize,
    const D: usize,
    const HO: usize,
    const WO: usize,
    const K: usize,
    const FH: usize,
    const FW: usize,
    G: Geometry,
> Repack<Volume<T, H, W, DX>, Volume<T, HO, WO, K>> for GroupedConv<T, FH, FW, D, K, G>
{
    const SIZES: Sizes = Self::sizes::<H, W, DX, HO, WO>();
    const FILTERS: usize = FH * FW * D * K;

    fn declared(&self) -> [&[T]; 2] {
        [
            self.filters.as_flattened().as_flattened().as_flattened(),
            &self.bias,
        ]
    }

    fn forward_packed(from: &Packed<'_, T>, x: &[T], _: &mut [T], y: &mut [T]) -> bool {
        let parameters = (from.packed, from.bias);
        let done = kernel::grouped_conv_forward(from.sizes, DX / D, x, parameters, y);
        if done {
            from.clamp.apply(y);
        }
        done
    }
}
