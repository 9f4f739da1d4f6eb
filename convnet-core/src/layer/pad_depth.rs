//! Depth slices of zeros behind a volume's own.

use super::Layer;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `pad_depth(32)`: as many depth slices, those behind the volume's own of zeros.
    ///
    /// So a `residual` can add a volume to a deeper one. See [`layer::PadDepth`](crate::layer::PadDepth).
    pad_depth {
        /// K, how many depth slices there are then.
        filters: usize = first(Takes::Count {
            default: None,
            zero: "0 depth slices are no volume: as many as it reads, or more",
            form: "the number of depth slices is as many as it reads or more, such as `32`",
        }),
    }
    Manner::Averages, Sees::Pixel;
    example: "pad_depth(32)",
    generics: &[Generic::Length(Length::Depth)],
    elsewhere: &["channelpadding", "padchannels"],
}

/// Zeros behind each depth column, up to a depth of `K`: the `pad_depth` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]`, D ≤ K |
/// | writes `y` | `[H][W][K]` |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, PadDepth};
///
/// let mut y = Volume::<f32, 1, 1, 3>::ZERO;
/// PadDepth::<3>::new().forward(&Volume([[[2.0]]]), &mut y);
/// assert_eq!(y, Volume([[[2.0, 0.0, 0.0]]]));
/// ```
///
/// Source: He, Zhang, Ren and Sun, *Deep Residual Learning for Image Recognition* (2015), shortcuts of kind A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PadDepth<const K: usize>;

impl<const K: usize> PadDepth<K> {
    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// As [`backward`](Layer::backward): the gradient on the input is the front of the one on the output.
    pub fn backward_input<T: Real, const H: usize, const W: usize, const D: usize>(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, K>,
    ) {
        const { assert!(D <= K, "no depth slice is left out") };
        for (dx, dy) in dx.iter_mut().flatten().zip(dy.iter().flatten()) {
            // Always some, as asserted.
            if let Some(dy) = dy.first_chunk() {
                *dx = *dy;
            }
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const K: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, K>> for PadDepth<K>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, K>) {
        const { assert!(D <= K, "no depth slice is left out") };
        y.as_mut_slice().fill(T::ZERO);
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            if let Some(y) = y.first_chunk_mut() {
                *y = *x;
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
