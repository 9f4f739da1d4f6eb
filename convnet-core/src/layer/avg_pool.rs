//! Average pooling: the mean of each window, depth slice by depth slice.

use core::marker::PhantomData;

use super::Layer;
use super::slide::{Geometry, Slide, column, column_mut, each_tap_of, pool_sizes};
use super::word::word;
use crate::kernel::{Sizes, at_level};
use crate::shape::{Fit, Padding};
use crate::{Real, Volume};

word! {
    /// `avg_pool(2x2, stride = 2)`: the mean of each window, depth slice by depth slice.
    ///
    /// See [`layer::AvgPool`](crate::layer::AvgPool).
    avg_pool {
        /// F, width x height of the window: `2x2`.
        size: [usize; 2] = first(Takes::Size),
        /// S, how far the window steps. Its size by default: windows do not overlap.
        stride: [usize; 2] = keyed(Takes::Stride(None)),
        /// P, around the input: padding does not count in the mean. As for [`conv`](crate::dsl::conv).
        pad: Padding = keyed(Takes::Pad),
        /// As for [`conv`](crate::dsl::conv).
        fit: Fit = keyed(Takes::Remainder),
        /// From one pixel that the window sees to the next, as for [`conv`](crate::dsl::conv).
        dilation: [usize; 2] = keyed(Takes::Dilation),
    }
    Manner::Averages, Sees::Pools;
    example: "avg_pool(2x2, stride = 2)",
    generics: &[
        Generic::Length(Length::FilterHeight),
        Generic::Length(Length::FilterWidth),
        Generic::Slide,
    ],
    elsewhere: &["averagepool", "averagepooling", "pool", "pooling", "subsample"],
}

/// The mean of each `FH`×`FW` window: the `avg_pool` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[HO][WO][D]`, (W − F + 2P)/S + 1 columns |
///
/// Padding is not counted: at the border the sum is divided by the number of pixels there are
/// (PyTorch's `count_include_pad=False`).
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::layer::{AvgPool, Layer, Slide};
/// use convnet::Volume;
///
/// let pool = AvgPool::<2, 2, Slide<2, 2, 0, 0>>::new();
/// let x = Volume([[[1.0], [2.0]], [[4.0], [3.0]]]);
/// let mut y = Volume::<f32, 1, 1, 1>::ZERO;
/// pool.forward(&x, &mut y);
/// assert_eq!(y, Volume([[[2.5]]]));
/// ```
///
/// Source: CS231n, *Pooling Layer* (*General pooling*).
#[doc(alias = "AvgPool2d")]
#[doc(alias = "AveragePooling2D")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AvgPool<const FH: usize, const FW: usize, G = Slide<2, 2, 0, 0>>(PhantomData<G>);

impl<const FH: usize, const FW: usize, G: Geometry> AvgPool<FH, FW, G> {
    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// As [`backward`](Layer::backward): the gradient on the input depends on nothing but the one
    /// on the output.
    pub fn backward_input<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const HO: usize,
        const WO: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
    ) {
        let sizes = const { &pool_sizes::<G>([H, W, D], [FH, FW], [HO, WO, D]) };
        backward_input(sizes, dx.as_mut_slice(), dy.as_slice());
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
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for AvgPool<FH, FW, G>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, D>) {
        let sizes = const { &pool_sizes::<G>([H, W, D], [FH, FW], [HO, WO, D]) };
        forward(sizes, x.as_slice(), y.as_mut_slice());
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, HO, WO, D>, _: &mut Self) {}
}

/// Compiled once a scalar, not once a layer.
#[inline(never)]
fn forward<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) {
    y.fill(T::ZERO);
    at_level(
        #[inline(always)]
        || {
            // Never `None`, as the sizes say.
            let _ = each_window(
                sizes,
                #[inline(always)]
                |at, share| {
                    let y = column_mut(y, sizes.y, at)?;
                    each_tap_of(
                        sizes,
                        at,
                        #[inline(always)]
                        |at| {
                            let x = column(x, sizes.x, at.x)?;
                            y.iter_mut().zip(x).for_each(|(y, &x)| *y += x);
                            Some(())
                        },
                    )?;
                    y.iter_mut().for_each(|y| *y *= share);
                    Some(())
                },
            );
        },
    );
}

#[inline(never)]
fn backward_input<T: Real>(sizes: &Sizes, dx: &mut [T], dy: &[T]) {
    dx.fill(T::ZERO);
    at_level(
        #[inline(always)]
        || {
            // Never `None`, as the sizes say.
            let _ = each_window(
                sizes,
                #[inline(always)]
                |at, share: T| {
                    let dy = column(dy, sizes.y, at)?;
                    each_tap_of(
                        sizes,
                        at,
                        #[inline(always)]
                        |at| {
                            let dx = column_mut(dx, sizes.x, at.x)?.iter_mut();
                            dx.zip(dy).for_each(|(dx, &dy)| *dx += dy * share);
                            Some(())
                        },
                    )
                },
            );
        },
    );
}

/// Visits each output, with one over the number of pixels in its window.
#[inline(always)]
fn each_window<T: Real>(
    sizes: &Sizes,
    mut visit: impl FnMut([usize; 2], T) -> Option<()>,
) -> Option<()> {
    for oy in 0..sizes.y[0] {
        for ox in 0..sizes.y[1] {
            let mut pixels = T::ZERO;
            each_tap_of(sizes, [oy, ox], |_| {
                pixels += T::ONE;
                Some(())
            })?;
            visit([oy, ox], pixels.recip())?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One depth slice at a time, nothing is a vector: the same to the bit, at every level.
    #[test]
    fn vectors_compute_what_scalars_do() {
        const D: usize = 21;
        let pool = AvgPool::<3, 3, Slide<1, 1, 1, 1>>::new();
        let (mut x, mut dy) = (Volume::<f32, 4, 5, D>::ZERO, Volume::<f32, 4, 5, D>::ZERO);
        for (seed, v) in [(3, &mut x), (8, &mut dy)] {
            let scalars = v.as_mut_slice().iter_mut().enumerate();
            scalars.for_each(|(i, v)| *v = (i * 7919 % 1009 * seed) as f32 / 500.0 - 1.0);
        }
        let slice = |v: &Volume<f32, 4, 5, D>, d: usize| Volume(v.map(|row| row.map(|v| [v[d]])));
        for level in crate::kernel::levels() {
            let (mut y, mut dx) = (Volume::ZERO, Volume::ZERO);
            crate::kernel::with_level(level, || {
                pool.forward(&x, &mut y);
                pool.backward_input(&mut dx, &dy);
            });
            for d in 0..D {
                let (mut alone, mut d_alone) = (Volume::ZERO, Volume::ZERO);
                pool.forward(&slice(&x, d), &mut alone);
                pool.backward_input(&mut d_alone, &slice(&dy, d));
                assert_eq!([&slice(&y, d), &slice(&dx, d)], [&alone, &d_alone]);
            }
        }
    }
}
