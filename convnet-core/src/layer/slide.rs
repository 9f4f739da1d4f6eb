//! How a filter slides: stride and zero-padding, at the type level.

use crate::kernel::Sizes;

/// Stride and zero-padding of a window layer. [`Slide`] is the only implementor; the trait keeps
/// the layers' types short.
pub trait Geometry: Copy + Default + Send + Sync + 'static {
    /// Stride: rows, columns.
    const STRIDE: [usize; 2];
    /// Zeros above the first row, zeros left of the first column. How many follow the last row
    /// and column is said by the size of the output.
    const BEFORE: [usize; 2];
}

/// A stride of `SY` rows and `SX` columns, `TOP` zero rows above and `LEFT` zero columns left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slide<const SY: usize, const SX: usize, const TOP: usize, const LEFT: usize>;

impl<const SY: usize, const SX: usize, const TOP: usize, const LEFT: usize> Geometry
    for Slide<SY, SX, TOP, LEFT>
{
    const STRIDE: [usize; 2] = [SY, SX];
    const BEFORE: [usize; 2] = [TOP, LEFT];
}

/// The input index that position `f` of the filter reads for output `o`; `None` on the padding.
#[inline(always)]
fn tap(o: usize, f: usize, stride: usize, before: usize, len: usize) -> Option<usize> {
    (o * stride + f).checked_sub(before).filter(|&i| i < len)
}

/// One product of a window layer: output, filter position and input, each `[row, column]`.
#[derive(Clone, Copy)]
pub(super) struct Tap {
    pub(super) y: [usize; 2],
    pub(super) filter: [usize; 2],
    pub(super) x: [usize; 2],
}

/// Visits every product of output and filter position whose input is not padding, output by output.
#[inline(always)]
pub(super) fn each_tap(sizes: &Sizes, mut visit: impl FnMut(Tap)) {
    for oy in 0..sizes.y[0] {
        for ox in 0..sizes.y[1] {
            each_tap_of(sizes, [oy, ox], &mut visit);
        }
    }
}

/// Visits the products of one output.
///
/// Inlined with constant sizes, so that the compiler sees every index inside its array and leaves
/// no bounds check.
#[inline(always)]
pub(super) fn each_tap_of(sizes: &Sizes, [oy, ox]: [usize; 2], mut visit: impl FnMut(Tap)) {
    for fy in 0..sizes.filter[0] {
        let Some(iy) = tap(oy, fy, sizes.stride[0], sizes.before[0], sizes.x[0]) else {
            continue;
        };
        for fx in 0..sizes.filter[1] {
            if let Some(ix) = tap(ox, fx, sizes.stride[1], sizes.before[1], sizes.x[1]) {
                visit(Tap {
                    y: [oy, ox],
                    filter: [fy, fx],
                    x: [iy, ix],
                });
            }
        }
    }
}

/// The numbers of a window layer, checked: after the input there are fewer zeros than the filter is
/// long, or no more than before it.
pub(super) const fn sizes<G: Geometry>(x: [usize; 3], filter: [usize; 2], y: [usize; 3]) -> Sizes {
    let mut axis = 0;
    while axis < 2 {
        assert!(
            filter[axis] > 0 && G::STRIDE[axis] > 0 && y[axis] > 0,
            "F, S and the output are positive"
        );
        let last = (y[axis] - 1) * G::STRIDE[axis];
        let before = G::BEFORE[axis];
        assert!(
            last < x[axis] + before || last + filter[axis] <= x[axis] + 2 * before,
            "the output is larger than filters can slide"
        );
        axis += 1;
    }
    Sizes {
        x,
        filter,
        stride: G::STRIDE,
        before: G::BEFORE,
        y,
    }
}

/// As [`sizes`] for pooling, where a window must see a pixel.
pub(super) const fn pool_sizes<G: Geometry>(
    x: [usize; 3],
    filter: [usize; 2],
    y: [usize; 3],
) -> Sizes {
    assert!(
        G::BEFORE[0] < filter[0] && G::BEFORE[1] < filter[1],
        "a pool's padding is smaller than its window"
    );
    sizes::<G>(x, filter, y)
}
