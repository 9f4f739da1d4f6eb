//! Global max pooling: each depth slice becomes its largest value.

use super::word::word;
use super::{Layer, max_pool};
use crate::kernel::{self, Sizes};
use crate::memory::volume::Scores;
use crate::scalar::real::beats;
use crate::{Real, Volume};

word! {
    /// `global_max_pool`: the largest of each depth slice; writes 1x1xD.
    ///
    /// See [`layer::GlobalMaxPool`](crate::layer::GlobalMaxPool).
    global_max_pool {}
    Manner::Selects, Sees::Everything;
    elsewhere: &[
        "gmp",
        "globalmaxpooling",
        "adaptivemaxpool",
        "globalpool",
        "globalpooling",
    ],
}

/// The largest value of every depth slice: the `global_max_pool` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[1][1][D]` |
///
/// Of equal values the first in memory order gets the gradient, and a NaN stays NaN, as for
/// [`MaxPool`](super::MaxPool).
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{GlobalMaxPool, Layer};
///
/// let x = Volume([[[1.0, 8.0], [2.0, 7.0]], [[4.0, 6.0], [3.0, 5.0]]]);
/// let mut y = Volume::<f32, 1, 1, 2>::ZERO;
/// GlobalMaxPool.forward(&x, &mut y);
/// assert_eq!(y, Volume([[[4.0, 8.0]]]));
/// ```
///
/// Source: Oquab et al., *Is object localization for free?* (2015), section 3.2.
#[doc(alias = "AdaptiveMaxPool2d")]
#[doc(alias = "GlobalMaxPooling2D")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalMaxPool;

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Scores<T, D>> for GlobalMaxPool
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Scores<T, D>) {
        max_pool::forward(const { &sizes(H, W, D) }, x.as_slice(), y.as_mut_slice());
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Scores<T, D>,
        _: &mut Self,
    ) {
        let sizes = const { sizes(H, W, D) };
        let (x, dx, dy) = (x.as_slice(), dx.as_mut_slice(), dy.as_slice());
        if kernel::max_pool_backward(&sizes, x, dx, dy) {
            return;
        }
        dx.fill(T::ZERO);
        // One loop over the pixels, not one in another: with both lengths known, the compiler unrolls
        // those for minutes.
        for (d, &dy) in dy.iter().enumerate() {
            let pixels = x.iter().enumerate().skip(d).step_by(D);
            let winner = pixels.reduce(|best, pixel| {
                if beats(*pixel.1, *best.1) {
                    pixel
                } else {
                    best
                }
            });
            if let Some(dx) = winner.and_then(|(i, _)| dx.get_mut(i)) {
                *dx = dy;
            }
        }
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Scores<T, D>, _: &mut Self) {}
}

/// One window, as large as the input.
const fn sizes(height: usize, width: usize, depth: usize) -> Sizes {
    Sizes {
        x: [height, width, depth],
        filter: [height, width],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [1, 1, depth],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `f64` has no kernel. Few values, so that many are equal.
    #[test]
    fn the_kernel_is_the_plain_loops() {
        let (mut x, mut dx) = (Volume::<f32, 5, 3, 19>::ZERO, Volume::ZERO);
        let (mut plain_x, mut plain_dx) = (Volume::<f64, 5, 3, 19>::ZERO, Volume::ZERO);
        let (mut y, mut plain_y) = (Scores::ZERO, Scores::ZERO);
        let scalars = x.as_mut_slice().iter_mut().zip(plain_x.as_mut_slice());
        for (i, (x, plain)) in scalars.enumerate() {
            *x = (i * 7919 % 11) as f32 - 5.0;
            *plain = (*x).into();
        }
        GlobalMaxPool.forward(&x, &mut y);
        GlobalMaxPool.forward(&plain_x, &mut plain_y);
        assert_eq!(y[0][0].map(f64::from), plain_y[0][0]);
        GlobalMaxPool.backward(&x, &mut dx, &y, &mut GlobalMaxPool);
        GlobalMaxPool.backward(&plain_x, &mut plain_dx, &plain_y, &mut GlobalMaxPool);
        let found = dx.as_slice().iter().copied().map(f64::from);
        assert!(found.eq(plain_dx.as_slice().iter().copied()));
    }
}
