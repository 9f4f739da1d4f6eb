//! Max pooling: the largest of each window, depth slice by depth slice.

use core::marker::PhantomData;

use super::Layer;
use super::repack::Pool;
use super::slide::{Geometry, Slide, column, pool_sizes, seen};
use super::word::word;
use crate::kernel::{self, Sizes, Windows};
use crate::scalar::real::beats;
use crate::shape::{Fit, Padding};
use crate::{Real, Volume};

word! {
    /// `max_pool(2x2, stride = 2)`: the largest of each window, depth slice by depth slice.
    ///
    /// See [`layer::MaxPool`](crate::layer::MaxPool).
    max_pool {
        /// F, width x height of the window: `2x2`.
        size: [usize; 2] = first(Takes::Size),
        /// S, how far the window steps. Its size by default: windows do not overlap.
        stride: [usize; 2] = keyed(Takes::Stride(None)),
        /// P, around the input: padding is never the largest. As for [`conv`](crate::dsl::conv).
        pad: Padding = keyed(Takes::Pad),
        /// As for [`conv`](crate::dsl::conv).
        fit: Fit = keyed(Takes::Remainder),
        /// From one pixel that the window sees to the next, as for [`conv`](crate::dsl::conv).
        dilation: [usize; 2] = keyed(Takes::Dilation),
    }
    Manner::Selects, Sees::Pools;
    example: "max_pool(2x2, stride = 2)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
        Generic::Slide,
    ],
    elsewhere: &["maxpooling", "pool", "pooling", "subsample"],
}

/// The largest value of each `FH`×`FW` window: the `max_pool` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[HO][WO][D]`, (W − F + 2P)/S + 1 columns |
///
/// Padding never wins: it is not zero here but absent. Of equal values the first in memory order
/// gets the gradient, as in PyTorch. A window that holds a NaN gives NaN, and the first NaN in it gets the
/// gradient (in PyTorch the last).
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::layer::{Layer, MaxPool, Slide};
/// use convnet::Volume;
///
/// let pool = MaxPool::<2, 2, Slide<2, 2, 0, 0>>::new();
/// let x = Volume([[[1.0], [2.0]], [[4.0], [3.0]]]);
/// let mut y = Volume::<f32, 1, 1, 1>::ZERO;
/// pool.forward(&x, &mut y);
/// assert_eq!(y, Volume([[[4.0]]]));
/// ```
///
/// Source: CS231n, *Pooling Layer*.
#[doc(alias = "MaxPool2d")]
#[doc(alias = "MaxPooling2D")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaxPool<const FH: usize, const FW: usize, G = Slide<2, 2, 0, 0>>(PhantomData<G>);

impl<const FH: usize, const FW: usize, G: Geometry> MaxPool<FH, FW, G> {
    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// What [`forward`](Layer::forward) computes, in the plainest way; the kernels are tested
    /// against it.
    pub fn forward_plain<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const HO: usize,
        const WO: usize,
    >(
        &self,
        x: &Volume<T, H, W, D>,
        y: &mut Volume<T, HO, WO, D>,
    ) {
        let sizes = const { &pool_sizes::<G>([H, W, D], [FH, FW], [HO, WO, D]) };
        // Never `None`, as the sizes say.
        let _ = forward_plain(sizes, x.as_slice(), y.as_mut_slice());
    }

    /// What the `dx` of [`backward`](Layer::backward) is: each gradient goes to the winner.
    pub fn backward_plain<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const HO: usize,
        const WO: usize,
    >(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
    ) {
        let sizes = const { &pool_sizes::<G>([H, W, D], [FH, FW], [HO, WO, D]) };
        // Never `None`, as the sizes say.
        let _ = backward_plain(sizes, x.as_slice(), dx.as_mut_slice(), dy.as_slice());
    }
}

/// The largest of each window, whatever the sizes. Compiled once a scalar, not once a layer; and so are the plain
/// loops below.
#[inline(never)]
pub(crate) fn forward<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) {
    if !(kernel::VECTORS && kernel::max_pool_forward(sizes, x, y)) {
        // Never `None`, as the sizes say.
        let _ = forward_plain(sizes, x, y);
    }
}

#[inline(never)]
fn forward_plain<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) -> Option<()> {
    let ([_, width, depth], [down, right]) = (sizes.x, sizes.dilation);
    let (columns, stride) = (sizes.y[1], sizes.stride[1]);
    for oy in 0..sizes.y[0] {
        let (top, rows) = seen::<0>(sizes, oy);
        let mut next = 0;
        while next < columns {
            let (ox, (left, taps)) = (next, seen::<1>(sizes, next));
            next += 1;
            // Those behind a window that lies inside, as far as they do.
            let mut end = left + (sizes.filter[1] - 1) * right + stride;
            while taps == sizes.filter[1] && next < columns && end < width {
                (next, end) = (next + 1, end + stride);
            }
            let windows = Windows {
                x: x.get((top * width + left) * depth..)?,
                taps: [rows, taps],
                steps: [down * width * depth, right * depth],
                step: stride * depth,
            };
            let y = y.get_mut((oy * columns + ox) * depth..)?;
            windows.largest(depth, y.get_mut(..(next - ox) * depth)?)?;
        }
    }
    Some(())
}

#[inline(never)]
fn backward_plain<T: Real>(sizes: &Sizes, x: &[T], dx: &mut [T], dy: &[T]) -> Option<()> {
    let [_, width, depth] = sizes.x;
    dx.fill(T::ZERO);
    for oy in 0..sizes.y[0] {
        for ox in 0..sizes.y[1] {
            let ((top, rows), (left, columns)) = (seen::<0>(sizes, oy), seen::<1>(sizes, ox));
            for (d, &dy) in column(dy, sizes.y, [oy, ox])?.iter().enumerate() {
                let mut winner: Option<(usize, T)> = None;
                for row in 0..rows {
                    let row = (top + row * sizes.dilation[0]) * width + left;
                    for column in 0..columns {
                        let place = (row + column * sizes.dilation[1]) * depth + d;
                        let x = *x.get(place)?;
                        if winner.is_none_or(|(_, largest)| beats(x, largest)) {
                            winner = Some((place, x));
                        }
                    }
                }
                // A window may see padding only.
                if let Some((place, _)) = winner {
                    *dx.get_mut(place)? += dy;
                }
            }
        }
    }
    Some(())
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
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for MaxPool<FH, FW, G>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, D>) {
        let sizes = const { &pool_sizes::<G>([H, W, D], [FH, FW], [HO, WO, D]) };
        forward(sizes, x.as_slice(), y.as_mut_slice());
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
        _: &mut Self,
    ) {
        let sizes = const { &pool_sizes::<G>([H, W, D], [FH, FW], [HO, WO, D]) };
        if !kernel::max_pool_backward(sizes, x.as_slice(), dx.as_mut_slice(), dy.as_slice()) {
            self.backward_plain(x, dx, dy);
        }
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, HO, WO, D>, _: &mut Self) {}
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
> Pool<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for MaxPool<FH, FW, G>
{
    const SIZES: Sizes = pool_sizes::<G>([H, W, D], [FH, FW], [HO, WO, D]);
}
