//! Global max pooling: each depth slice becomes its largest value.

use super::Layer;
use crate::volume::Scores;
use crate::{Real, Volume};

/// The largest value of every depth slice: the `global_max_pool` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[1][1][D]` |
///
/// Of equal values the first in memory order gets the gradient, as for
/// [`MaxPool`](super::MaxPool).
///
/// ```
/// use convnet_core::Volume;
/// use convnet_core::layer::{GlobalMaxPool, Layer};
///
/// let x = Volume([[[1.0, 8.0], [2.0, 7.0]], [[4.0, 6.0], [3.0, 5.0]]]);
/// let mut y = Volume::<f32, 1, 1, 2>::ZERO;
/// GlobalMaxPool.forward(&x, &mut y);
/// assert_eq!(y, Volume([[[4.0, 8.0]]]));
/// ```
///
/// Source: Oquab et al., *Is object localization for free?* (2015), section 3.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalMaxPool;

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Scores<T, D>> for GlobalMaxPool
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Scores<T, D>) {
        let y = &mut y[0][0];
        y.fill(T::neg_infinity());
        for column in x.iter().flatten() {
            for (y, &x) in y.iter_mut().zip(column) {
                if x > *y {
                    *y = x;
                }
            }
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Scores<T, D>,
        _: &mut Self,
    ) {
        dx.as_mut_slice().fill(T::ZERO);
        for (d, &dy) in dy[0][0].iter().enumerate() {
            let mut winner = (0, 0);
            for y in 0..H {
                for column in 0..W {
                    if x[y][column][d] > x[winner.0][winner.1][d] {
                        winner = (y, column);
                    }
                }
            }
            dx[winner.0][winner.1][d] = dy;
        }
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Scores<T, D>, _: &mut Self) {}
}
