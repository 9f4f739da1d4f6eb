//! A convolution in the plainest way, which says what is computed: what kernels decline, and what they are tested
//! against.
//!
//! On slices, so that it is compiled once a scalar and not once a layer.
//!
//! **Invariant:** no index is taken on trust: what lies outside is `None`, which it never is where lengths are those
//! of the sizes. So no path to a panic is left, however much or little of it the compiler sees.

use super::tap;
use crate::Real;
use crate::kernel::Sizes;
use crate::layer::slide::{add_columns, column, column_mut, each_tap, fill_columns, taps};

/// `y` = the bias and the sums of `x` and the filters.
#[inline(never)]
pub(super) fn forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    filters: &[T],
    bias: &[T],
    y: &mut [T],
) -> Option<()> {
    let taps = taps(sizes)?;
    fill_columns(y, bias);
    each_tap(sizes, |at| {
        let (x, weights) = (column(x, sizes.x, at.x)?, column(filters, taps, at.filter)?);
        tap::forward(sizes.groups, x, weights, column_mut(y, sizes.y, at.y)?);
        Some(())
    })
}

/// `dx` = the gradient of the sums on the input.
#[inline(never)]
pub(super) fn backward_input<T: Real>(
    sizes: &Sizes,
    dx: &mut [T],
    dy: &[T],
    filters: &[T],
) -> Option<()> {
    let taps = taps(sizes)?;
    dx.fill(T::ZERO);
    each_tap(sizes, |at| {
        let (dy, weights) = (
            column(dy, sizes.y, at.y)?,
            column(filters, taps, at.filter)?,
        );
        tap::backward_input(sizes.groups, column_mut(dx, sizes.x, at.x)?, dy, weights);
        Some(())
    })
}

/// Adds the gradient of the sums on the filters, and the one on the bias.
#[inline(never)]
pub(super) fn add_gradient<T: Real>(
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Option<()> {
    let taps = taps(sizes)?;
    add_columns(dy, d_bias);
    each_tap(sizes, |at| {
        let (x, dy) = (column(x, sizes.x, at.x)?, column(dy, sizes.y, at.y)?);
        let d_weights = column_mut(d_filters, taps, at.filter)?;
        tap::add_gradient(sizes.groups, x, dy, d_weights);
        Some(())
    })
}
