//! Depth slices in another order, so that groups meet.

use super::Layer;
use super::word::word;
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::{Real, Volume};

word! {
    /// `channel_shuffle(2)`: depth slices in another order, one of each group in turn.
    ///
    /// See [`layer::ChannelShuffle`](crate::layer::ChannelShuffle).
    channel_shuffle {
        /// How many groups there are; they divide the depth.
        groups: usize = first(Takes::Count {
            default: None,
            zero: "0 groups have nothing to shuffle: at least 1",
            form: "the number of groups is 1 or more, such as `2`",
        }),
    }
    Manner::Averages, Sees::Pixel;
    example: "channel_shuffle(2)",
    elsewhere: &["shuffle", "shufflechannel", "shufflechannels"],
}

/// The first slice of each group, then the second of each, and so on: the `channel_shuffle` of a declaration,
/// and PyTorch's `ChannelShuffle`.
///
/// ```text
///  x: a0 a1 a2 │ b0 b1 b2        2 groups
///  y: a0 b0 a1 b1 a2 b2
/// ```
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]`, where the groups divide D |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{ChannelShuffle, Layer};
///
/// let mut y = Volume::<f32, 1, 1, 6>::ZERO;
/// ChannelShuffle { groups: 2 }.forward(&Volume([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]]), &mut y);
/// assert_eq!(y, Volume([[[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]]]));
/// ```
///
/// Source: Zhang, Zhou, Lin and Sun, *ShuffleNet* (2017), section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelShuffle {
    /// How many groups there are. They divide the depth, or it is no shuffle.
    pub groups: usize,
}

impl ChannelShuffle {
    /// As [`backward`](Layer::backward): the gradient on the input depends on nothing but the one on the
    /// output.
    pub fn backward_input<T: Real, const H: usize, const W: usize, const D: usize>(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
    ) {
        let (dx, dy) = (dx.as_mut_slice(), dy.as_slice());
        dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx = dy);
        // Back is as many groups as each of them was deep.
        shuffle(dy, dx, D, D / self.groups.max(1));
    }
}

fn shuffle<T: Real>(x: &[T], y: &mut [T], depth: usize, groups: usize) {
    let each = depth / groups.max(1);
    for (y, x) in pieces_mut(y, depth).zip(pieces(x, depth)) {
        for (group, x) in pieces(x, each).enumerate() {
            for (y, &x) in y.iter_mut().skip(group).step_by(groups.max(1)).zip(x) {
                *y = x;
            }
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for ChannelShuffle
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        y.copy_from(x);
        shuffle(x.as_slice(), y.as_mut_slice(), D, self.groups);
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, H, W, D>, _: &mut Self) {}
}
