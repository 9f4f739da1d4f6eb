//! How a filter slides: stride, zero-padding and dilation, at the type level.

use crate::kernel::Sizes;

/// Stride, zero-padding and dilation of a window layer. [`Slide`] is the only implementor; the trait keeps
/// the layers' types short.
pub trait Geometry: Copy + Default + Send + Sync + 'static {
    /// Stride: rows, columns.
    const STRIDE: [usize; 2];
    /// Zeros above the first row, zeros left of the first column. How many follow the last row
    /// and column is said by the size of the output.
    const BEFORE: [usize; 2];
    /// From one tap of the filter to the next: rows, columns.
    const DILATION: [usize; 2];
}

/// A stride of `SY` rows and `SX` columns, `TOP` zero rows above and `LEFT` zero columns left; from
/// one tap of the filter to the next `DY` rows and `DX` columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slide<
    const SY: usize,
    const SX: usize,
    const TOP: usize,
    const LEFT: usize,
    const DY: usize = 1,
    const DX: usize = 1,
>;

impl<
    const SY: usize,
    const SX: usize,
    const TOP: usize,
    const LEFT: usize,
    const DY: usize,
    const DX: usize,
> Geometry for Slide<SY, SX, TOP, LEFT, DY, DX>
{
    const STRIDE: [usize; 2] = [SY, SX];
    const BEFORE: [usize; 2] = [TOP, LEFT];
    const DILATION: [usize; 2] = [DY, DX];
}

/// The row (`axis` 0) or column (1) of the input that position `f` of the filter reads for output
/// `o`; `None` on the padding.
#[inline(always)]
fn tap(sizes: &Sizes, axis: usize, o: usize, f: usize) -> Option<usize> {
    (o * sizes.stride[axis] + f * sizes.dilation[axis])
        .checked_sub(sizes.before[axis])
        .filter(|&i| i < sizes.x[axis])
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
        let Some(iy) = tap(sizes, 0, oy, fy) else {
            continue;
        };
        for fx in 0..sizes.filter[1] {
            if let Some(ix) = tap(sizes, 1, ox, fx) {
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
            filter[axis] > 0 && G::STRIDE[axis] > 0 && G::DILATION[axis] > 0 && y[axis] > 0,
            "F, S, D and the output are positive"
        );
        let covers = (filter[axis] - 1) * G::DILATION[axis] + 1;
        let last = (y[axis] - 1) * G::STRIDE[axis];
        let before = G::BEFORE[axis];
        assert!(
            last < x[axis] + before || last + covers <= x[axis] + 2 * before,
            "the output is larger than filters can slide"
        );
        axis += 1;
    }
    Sizes {
        x,
        filter,
        stride: G::STRIDE,
        dilation: G::DILATION,
        groups: 1,
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
