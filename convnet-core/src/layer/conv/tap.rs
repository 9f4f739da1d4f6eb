//! One tap of a convolution, in the plainest way: what the pixel of `x` that it sees, its weights and the
//! outputs `y` have to do with each other.
//!
//! ```text
//!                 weights: a row of K for each depth of a group
//!   x: group 0    [ K/G of group 0 | K/G of group 1 ]
//!      group 1    [ K/G of group 0 | K/G of group 1 ]
//!                   y: group 0       y: group 1
//! ```

use core::ops::Range;

use crate::Real;
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::layer::slide::add_multiple;

/// `y[k] += Σ x[d] · weights[d][k]`
#[inline(always)]
pub(super) fn forward<T: Real>(groups: usize, y: &mut [T], x: &[T], weights: &[T]) {
    let rows = pieces(weights, y.len());
    each_group(groups, [x.len(), y.len()], |depths, filters| {
        let x = x.get(depths).unwrap_or_default();
        let y = y.get_mut(filters.clone()).unwrap_or_default();
        for (&x, weights) in x.iter().zip(rows.clone()) {
            let weights = weights.get(filters.clone()).unwrap_or_default();
            add_multiple(y, x, weights);
        }
    });
}

/// `dx[d] += Σ dy[k] · weights[d][k]`
#[inline(always)]
pub(super) fn backward_input<T: Real>(groups: usize, dx: &mut [T], dy: &[T], weights: &[T]) {
    each_group(groups, [dx.len(), dy.len()], |depths, filters| {
        let dx = dx.get_mut(depths).unwrap_or_default();
        let of_group = dy.get(filters.clone()).unwrap_or_default();
        for (dx, weights) in dx.iter_mut().zip(pieces(weights, dy.len())) {
            let weights = weights.get(filters.clone()).unwrap_or_default();
            let pairs = weights.iter().zip(of_group);
            *dx += pairs.map(|(&weight, &dy)| weight * dy).sum();
        }
    });
}

/// `d_weights[d][k] += x[d] · dy[k]`
#[inline(always)]
pub(super) fn add_gradient<T: Real>(groups: usize, d_weights: &mut [T], x: &[T], dy: &[T]) {
    each_group(groups, [x.len(), dy.len()], |depths, filters| {
        let x = x.get(depths).unwrap_or_default();
        let of_group = dy.get(filters.clone()).unwrap_or_default();
        for (&x, d_weights) in x.iter().zip(pieces_mut(d_weights, dy.len())) {
            let d_weights = d_weights.get_mut(filters.clone()).unwrap_or_default();
            add_multiple(d_weights, x, of_group);
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
    let (Some(depth), Some(k)) = (depth.checked_div(groups), k.checked_div(groups)) else {
        return;
    };
    for group in 0..groups {
        visit(
            group * depth..(group + 1) * depth,
            group * k..(group + 1) * k,
        );
    }
}
