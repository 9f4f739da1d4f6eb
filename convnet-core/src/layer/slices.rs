//! Some of the depth slices.

use super::Layer;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `slices(58)`, `slices(58, from = 58)`: so many of the depth slices, and no others.
    ///
    /// In a `concat`, the ways then read a part of the volume each. See [`layer::Slices`](crate::layer::Slices).
    slices {
        /// How many.
        filters: usize = first(Takes::Count {
            default: None,
            zero: "0 depth slices are no volume: at least 1",
            form: "the number of depth slices is 1 or more, such as `58`",
        }),
        /// How many are left out in front of them; none by default.
        from: usize = keyed(Takes::Count {
            default: Some(0),
            zero: "without `from` it begins with the first slice",
            form: "how many slices are left out in front is a number, such as `58`",
        }),
    }
    Manner::Averages, Sees::Pixel;
    example: "slices(58, from = 58)",
    elsewhere: &["split", "chunk", "narrow", "slice"],
}

/// `filters` depth slices, `from` one of them on: the `slices` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[H][W][K]`, where `from + K ≤ D` |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, Slices};
///
/// let mut y = Volume::<f32, 1, 1, 2>::ZERO;
/// Slices { filters: 2, from: 1 }.forward(&Volume([[[1.0, 2.0, 3.0, 4.0]]]), &mut y);
/// assert_eq!(y, Volume([[[2.0, 3.0]]]));
/// ```
///
/// Source: Ma, Zhang, Zheng and Sun, *ShuffleNet V2* (2018), section 3.2, which calls two of them a channel split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    /// How many: K, the depth of what it writes.
    pub filters: usize,
    /// How many are left out in front.
    pub from: usize,
}

impl Slices {
    /// As [`backward`](Layer::backward): the gradient on what was left out is 0.
    pub fn backward_input<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const K: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, K>,
    ) {
        dx.as_mut_slice().fill(T::ZERO);
        for (dx, dy) in dx.iter_mut().flatten().zip(dy.iter().flatten()) {
            for (dx, &dy) in dx.iter_mut().skip(self.from).zip(dy) {
                *dx = dy;
            }
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const K: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, K>> for Slices
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, K>) {
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            for (y, &x) in y.iter_mut().zip(x.iter().skip(self.from)) {
                *y = x;
            }
        }
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, K>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, H, W, K>, _: &mut Self) {}
}
