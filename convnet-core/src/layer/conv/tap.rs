//! One tap of a convolution, in the plainest way: what the pixel of `x` that it sees, its weights and the
//! outputs `y` have to do with each other.
//!
//! ```text
//!                 weights: a row of K for each depth of a group
//!   x: group 0    [ K/G of group 0 | K/G of group 1 ]
//!      group 1    [ K/G of group 0 | K/G of group 1 ]
//!                   y: group 0       y: group 1
//! ```
//!
//! Inlined, so that the compiler knows every length where a layer hands over arrays: no test is left then.

use core::ops::Range;

use crate::Real;

/// `y[k] += Σ x[d] · weights[d][k]`
#[inline(always)]
pub(crate) fn forward<'a, T: Real>(
    groups: usize,
    x: &[T],
    weights: impl Iterator<Item = &'a [T]> + Clone,
    y: &mut [T],
) {
    each_group(groups, [x.len(), y.len()], |depths, filters| {
        let x = x.get(depths).unwrap_or_default();
        let y = y.get_mut(filters.clone()).unwrap_or_default();
        for (&x, weights) in x.iter().zip(weights.clone()) {
            let weights = weights.get(filters.clone()).unwrap_or_default();
            for (y, &weight) in y.iter_mut().zip(weights) {
                *y += x * weight;
            }
        }
    });
}

/// `dx[d] += Σ dy[k] · weights[d][k]`
#[inline(always)]
pub(crate) fn backward_input<T: Real, const K: usize>(
    groups: usize,
    dx: &mut [T],
    dy: &[T; K],
    weights: &[[T; K]],
) {
    each_group(groups, [dx.len(), K], |depths, filters| {
        let dx = dx.get_mut(depths).unwrap_or_default();
        let dy = dy.get(filters.clone()).unwrap_or_default();
        for (dx, weights) in dx.iter_mut().zip(weights) {
            let weights = weights.get(filters.clone()).unwrap_or_default();
            let pairs = weights.iter().zip(dy);
            *dx += pairs.map(|(&weight, &dy)| weight * dy).sum();
        }
    });
}

/// `d_weights[d][k] += x[d] · dy[k]`
#[inline(always)]
pub(crate) fn add_gradient<T: Real, const K: usize>(
    groups: usize,
    x: &[T],
    dy: &[T; K],
    d_weights: &mut [[T; K]],
) {
    each_group(groups, [x.len(), K], |depths, filters| {
        let x = x.get(depths).unwrap_or_default();
        let dy = dy.get(filters.clone()).unwrap_or_default();
        for (&x, d_weights) in x.iter().zip(d_weights.iter_mut()) {
            let d_weights = d_weights.get_mut(filters.clone()).unwrap_or_default();
            for (d_weight, &dy) in d_weights.iter_mut().zip(dy) {
                *d_weight += x * dy;
            }
        }
    });
}

/// Visits the depths and the filters of each group.
#[inline(always)]
fn each_group(
    groups: usize,
    [depth, k]: [usize; 2],
    mut visit: impl FnMut(Range<usize>, Range<usize>),
) {
    // No loop, for the compiler's sake.
    if groups == 1 {
        return visit(0..depth, 0..k);
    }
    let (depth, k) = (depth / groups, k / groups);
    for group in 0..groups {
        visit(
            group * depth..(group + 1) * depth,
            group * k..(group + 1) * k,
        );
    }
}
