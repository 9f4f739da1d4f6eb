//! `conv` and `depthwise` in the plainest way, which says what is computed: what kernels decline, and what they are
//! tested against.
//!
//! They differ by a tap: what it adds, of so many groups, to one depth column out of two others.
//!
//! On slices, so that it is compiled once a scalar and not once a layer.
//!
//! **Invariant:** no index is taken on trust: what lies outside is `None`, which it never is where lengths are those
//! of the sizes. So no path to a panic is left, however much or little of it the compiler sees.

use super::slide::{add_columns, column, column_mut, each_tap, fill_columns, taps};
use crate::Real;
use crate::kernel::Sizes;

/// `y` = the bias and the sums of `x` and the filters. `tap` adds to a column of y, out of x and weights.
#[inline(never)]
pub(super) fn forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    [filters, bias]: [&[T]; 2],
    y: &mut [T],
    tap: impl Fn(usize, &mut [T], &[T], &[T]),
) -> Option<()> {
    let taps = taps(sizes)?;
    fill_columns(y, bias);
    each_tap(sizes, |at| {
        let (x, weights) = (column(x, sizes.x, at.x)?, column(filters, taps, at.filter)?);
        tap(sizes.groups, column_mut(y, sizes.y, at.y)?, x, weights);
        Some(())
    })
}

/// `dx` = the gradient of the sums on the input. `tap` adds to a column of dx, out of dy and weights.
#[inline(never)]
pub(super) fn backward_input<T: Real>(
    sizes: &Sizes,
    dx: &mut [T],
    dy: &[T],
    filters: &[T],
    tap: impl Fn(usize, &mut [T], &[T], &[T]),
) -> Option<()> {
    let taps = taps(sizes)?;
    dx.fill(T::ZERO);
    each_tap(sizes, |at| {
        let (dy, weights) = (
            column(dy, sizes.y, at.y)?,
            column(filters, taps, at.filter)?,
        );
        tap(sizes.groups, column_mut(dx, sizes.x, at.x)?, dy, weights);
        Some(())
    })
}

/// Adds the gradient of the sums on the filters, and the one on the bias. `tap` adds to the gradient of weights, out of
/// x and dy.
#[inline(never)]
pub(super) fn add_gradient<T: Real>(
    sizes: &Sizes,
    [x, dy]: [&[T]; 2],
    d_filters: &mut [T],
    d_bias: &mut [T],
    tap: impl Fn(usize, &mut [T], &[T], &[T]),
) -> Option<()> {
    let taps = taps(sizes)?;
    add_columns(dy, d_bias);
    each_tap(sizes, |at| {
        let (x, dy) = (column(x, sizes.x, at.x)?, column(dy, sizes.y, at.y)?);
        tap(sizes.groups, column_mut(d_filters, taps, at.filter)?, x, dy);
        Some(())
    })
}
