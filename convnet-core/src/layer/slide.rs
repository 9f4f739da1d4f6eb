//! How a filter slides: stride, zero-padding and dilation, at the type level.

use crate::Real;
use crate::kernel::Sizes;
use crate::kernel::pieces::{pieces, pieces_mut};

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

/// The row (`AXIS` 0) or column (1) of the input that position `f` of the filter reads for output
/// `o`; `None` on the padding.
#[inline(always)]
fn tap<const AXIS: usize>(sizes: &Sizes, o: usize, f: usize) -> Option<usize> {
    (o * sizes.stride[AXIS] + f * sizes.dilation[AXIS])
        .checked_sub(sizes.before[AXIS])
        .filter(|&i| i < sizes.x[AXIS])
}

/// One product of a window layer: output, filter position and input, each `[row, column]`.
#[derive(Clone, Copy)]
pub(super) struct Tap {
    pub(super) y: [usize; 2],
    pub(super) filter: [usize; 2],
    pub(super) x: [usize; 2],
}

/// Visits every product of output and filter position whose input is not padding, output by output; `None` as soon
/// as a visit is.
#[inline(always)]
pub(super) fn each_tap(sizes: &Sizes, mut visit: impl FnMut(Tap) -> Option<()>) -> Option<()> {
    for oy in 0..sizes.y[0] {
        for ox in 0..sizes.y[1] {
            each_tap_of(sizes, [oy, ox], &mut visit)?;
        }
    }
    Some(())
}

/// Visits the products of one output.
#[inline(always)]
pub(super) fn each_tap_of(
    sizes: &Sizes,
    [oy, ox]: [usize; 2],
    mut visit: impl FnMut(Tap) -> Option<()>,
) -> Option<()> {
    for fy in 0..sizes.filter[0] {
        let Some(iy) = tap::<0>(sizes, oy, fy) else {
            continue;
        };
        for fx in 0..sizes.filter[1] {
            if let Some(ix) = tap::<1>(sizes, ox, fx) {
                visit(Tap {
                    y: [oy, ox],
                    filter: [fy, fx],
                    x: [iy, ix],
                })?;
            }
        }
    }
    Some(())
}

/// The first row (`AXIS` 0) or column (1) of the input that a window sees at output `o`, and how many it sees.
#[inline(never)]
pub(super) fn seen<const AXIS: usize>(sizes: &Sizes, o: usize) -> (usize, usize) {
    let (filter, dilation) = (sizes.filter[AXIS], sizes.dilation[AXIS]);
    let (before, end) = (sizes.before[AXIS], sizes.before[AXIS] + sizes.x[AXIS]);
    let (mut at, mut taps) = (o * sizes.stride[AXIS], 0..filter);
    while at < before && taps.next().is_some() {
        at += dilation;
    }
    let mut count = 0;
    while at + count * dilation < end && count < taps.len() {
        count += 1;
    }
    match count {
        0 => (0, 0),
        _ => (at - before, count),
    }
}

/// The depth column of a pixel. Never `None` of what [`each_tap`] visits in a volume of these sizes; the compiler
/// need not see it to leave no panic.
#[inline(always)]
pub(super) fn column<T>(v: &[T], [_, width, depth]: [usize; 3], at: [usize; 2]) -> Option<&[T]> {
    v.get((at[0] * width + at[1]) * depth..)?.get(..depth)
}

/// The same, to write.
#[inline(always)]
pub(super) fn column_mut<T>(
    v: &mut [T],
    [_, width, depth]: [usize; 3],
    at: [usize; 2],
) -> Option<&mut [T]> {
    v.get_mut((at[0] * width + at[1]) * depth..)?
        .get_mut(..depth)
}

/// The filters of a convolution as a volume: a column has the weights of one tap.
pub(super) fn taps(sizes: &Sizes) -> Option<[usize; 3]> {
    let weights = sizes.x[2].checked_div(sizes.groups)? * sizes.y[2];
    Some([sizes.filter[0], sizes.filter[1], weights])
}

/// Every depth column of `y` becomes `bias`.
#[inline(always)]
pub(super) fn fill_columns<T: Copy>(y: &mut [T], bias: &[T]) {
    for y in pieces_mut(y, bias.len()) {
        y.iter_mut().zip(bias).for_each(|(y, &bias)| *y = bias);
    }
}

/// `sums += by · column`. A function for all plain loops, as the one below: inlined, each would be unrolled.
#[inline(never)]
pub(super) fn add_multiple<T: Real>(sums: &mut [T], by: T, column: &[T]) {
    for (sum, &v) in sums.iter_mut().zip(column) {
        *sum += by * v;
    }
}

/// `sums[d] += a[d] · b[d]`
#[inline(never)]
pub(super) fn add_products<T: Real>(sums: &mut [T], a: &[T], b: &[T]) {
    for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
        *sum += a * b;
    }
}

/// Adds each depth column of `volume` to `sums`.
#[inline(always)]
pub(super) fn add_columns<T: Real>(volume: &[T], sums: &mut [T]) {
    for column in pieces(volume, sums.len()) {
        sums.iter_mut().zip(column).for_each(|(sum, &v)| *sum += v);
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
        G::BEFORE[0] <= (filter[0] - 1) * G::DILATION[0]
            && G::BEFORE[1] <= (filter[1] - 1) * G::DILATION[1],
        "a pool's padding is smaller than its window"
    );
    sizes::<G>(x, filter, y)
}
