//! Global average pooling: each depth slice becomes its mean.

use super::Layer;
use super::word::word;
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::kernel::{VECTORS, at_level};
use crate::memory::volume::Scores;
use crate::{Real, Volume};

word! {
    /// `global_avg_pool`: the mean of each depth slice; writes 1x1xD.
    ///
    /// See [`layer::GlobalAvgPool`](crate::layer::GlobalAvgPool).
    global_avg_pool {}
    Manner::Averages, Sees::Everything;
    elsewhere: &[
        "gap",
        "globalaveragepool",
        "globalaveragepooling",
        "globalavgpooling",
        "adaptiveavgpool",
        "adaptiveaveragepool",
        "globalpool",
        "globalpooling",
    ],
}

/// The mean of every depth slice: the `global_avg_pool` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[1][1][D]` |
///
/// Source: Lin, Chen, Yan, *Network In Network* (2013), section 3.2.
#[doc(alias = "AdaptiveAvgPool2d")]
#[doc(alias = "GlobalAveragePooling2D")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalAvgPool;

impl GlobalAvgPool {
    /// As [`backward`](Layer::backward): the gradient on the input depends on nothing but the one
    /// on the output.
    pub fn backward_input<T: Real, const H: usize, const W: usize, const D: usize>(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Scores<T, D>,
    ) {
        for column in dx.iter_mut().flatten() {
            for (dx, &dy) in column.iter_mut().zip(&dy[0][0]) {
                *dx = dy * share::<T>(H * W);
            }
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Scores<T, D>> for GlobalAvgPool
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Scores<T, D>) {
        means(x.as_slice(), share::<T>(H * W), y.as_mut_slice());
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Scores<T, D>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Scores<T, D>, _: &mut Self) {}
}

/// Compiled once a scalar, not once a layer: where lengths are known it is unrolled, for kilobytes of code and of stack.
#[inline(never)]
fn means<T: Real>(x: &[T], share: T, y: &mut [T]) {
    at_level(
        #[inline(always)]
        || sum_columns(x, y),
    );
    y.iter_mut().for_each(|y| *y *= share);
}

/// Block by block of depths, whose sums stay in registers.
#[inline(always)]
fn sum_columns<T: Real>(x: &[T], y: &mut [T]) {
    const BLOCK: usize = 64;
    let depth = y.len();
    for (block, y) in pieces_mut(y, BLOCK).enumerate() {
        let columns = pieces(x, depth).filter_map(|column| column.get(block * BLOCK..));
        // Where there are no vectors, there are no registers for them either.
        if let Some(y) = y.first_chunk_mut::<BLOCK>().filter(|_| VECTORS) {
            let mut sums = [T::ZERO; BLOCK];
            for column in columns.filter_map(|column| column.first_chunk::<BLOCK>()) {
                sums.iter_mut().zip(column).for_each(|(sum, &x)| *sum += x);
            }
            *y = sums;
        } else {
            y.fill(T::ZERO);
            for column in columns {
                y.iter_mut().zip(column).for_each(|(sum, &x)| *sum += x);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an area is far below 2^52")]
fn share<T: Real>(pixels: usize) -> T {
    T::of(1.0 / pixels as f64)
}
