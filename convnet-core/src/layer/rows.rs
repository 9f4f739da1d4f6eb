//! A convolution and the max pool behind it on slices, a few rows of the map at a time.

use core::ops::Range;

use super::conv::tap;
use super::slide::each_tap;
use crate::Real;
use crate::kernel::{self, Sizes};
use crate::scalar::real::keep_largest;

/// The max pool of a convolution. Not generic over sizes, so that it is compiled once a scalar.
pub(crate) struct PooledRows<'a, T> {
    pub(crate) conv: &'a Sizes,
    pub(crate) pool: &'a Sizes,
    pub(crate) x: &'a [T],
    pub(crate) filters: &'a [T],
    pub(crate) bias: &'a [T],
    /// What happens to rows of the map before they are pooled.
    pub(crate) after: &'a dyn Fn(&mut [T]),
}

impl<T: Real> PooledRows<'_, T> {
    /// Writes `y`; `rows` are those of the map that there is room for.
    #[inline(never)]
    pub(crate) fn run(&self, rows: &mut [T], y: &mut [T]) -> Option<()> {
        let (pool, [height, width, filters]) = (self.pool, self.pool.x);
        let (row, out) = (width * filters, pool.y[1] * filters);
        if out == 0 {
            return None;
        }
        // The map's rows that lie in `rows`.
        let (mut first, mut end) = (0, 0);
        for (oy, y) in y.chunks_exact_mut(out).enumerate() {
            let (start, above) = window(oy, pool);
            let until = (start + pool.filter[0] - above).min(height);
            let (from, kept) = (start - first, end.max(start) - start);
            for kept in 0..kept {
                move_row(rows, (from + kept) * row, kept * row, row)?;
            }
            first = start;
            end = end.max(start);
            if end < until {
                let new = rows.get_mut(kept * row..(until - start) * row)?;
                conv_rows(
                    self.conv,
                    self.x,
                    [self.filters, self.bias],
                    end..until,
                    new,
                )?;
                (self.after)(new);
                end = until;
            }
            let cut = Sizes {
                x: [until - start, width, filters],
                before: [above, pool.before[1]],
                y: [1, pool.y[1], filters],
                ..*pool
            };
            max_pool(&cut, rows.get(..(until - start) * row)?, y);
        }
        Some(())
    }
}

/// The max pool, whatever the sizes.
pub(crate) fn max_pool<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) {
    if !kernel::max_pool_forward(sizes, x, y) {
        // Never `None`: every place is inside, as the sizes say.
        let _ = pool_plain(sizes, x, y);
    }
}

/// Some rows of a convolution.
pub(crate) fn conv_rows<T: Real>(
    sizes: &Sizes,
    x: &[T],
    [filters, bias]: [&[T]; 2],
    rows: Range<usize>,
    y: &mut [T],
) -> Option<()> {
    let (cut, start) = sizes.rows(rows);
    let x = x.get(start * cut.x[1] * cut.x[2]..)?;
    if kernel::conv_forward(&cut, x, filters, bias, y) {
        return Some(());
    }
    conv_plain(&cut, x, filters, bias, y)
}

/// The first row of the input that output row `oy` sees, and how many rows of its window lie above
/// the input. A window that lies below the input sees none of the last.
fn window(oy: usize, sizes: &Sizes) -> (usize, usize) {
    let top = oy * sizes.stride[0];
    let start = top.saturating_sub(sizes.before[0]);
    (start.min(sizes.x[0]), sizes.before[0].saturating_sub(top))
}

fn move_row<T: Copy>(rows: &mut [T], from: usize, to: usize, row: usize) -> Option<()> {
    if from > to {
        let (before, rest) = rows.split_at_mut_checked(from)?;
        let to = before.get_mut(to..to + row)?;
        to.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    }
    Some(())
}

fn conv_plain<T: Real>(
    sizes: &Sizes,
    x: &[T],
    filters: &[T],
    bias: &[T],
    y: &mut [T],
) -> Option<()> {
    let ([_, width, depth], [_, wo, k], groups) = (sizes.x, sizes.y, sizes.groups);
    let weights = depth.checked_div(groups)? * k;
    if weights == 0 {
        return None;
    }
    y.iter_mut()
        .zip(bias.iter().cycle())
        .for_each(|(y, bias)| *y = *bias);
    let mut done = Some(());
    each_tap(sizes, |at| {
        let mut add = || {
            let y = y.get_mut((at.y[0] * wo + at.y[1]) * k..)?.get_mut(..k)?;
            let x = x.get((at.x[0] * width + at.x[1]) * depth..)?;
            let filters =
                filters.get((at.filter[0] * sizes.filter[1] + at.filter[1]) * weights..)?;
            let rows = filters.get(..weights)?;
            // Asked again, for the compiler's sake: rows of no filters would be a path to a panic.
            let rows = (k > 0).then(|| rows.chunks_exact(k))?;
            tap::forward(groups, x.get(..depth)?, rows, y);
            Some(())
        };
        done = done.and_then(|()| add());
    });
    done
}

fn pool_plain<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) -> Option<()> {
    let ([_, width, depth], [_, wo, _]) = (sizes.x, sizes.y);
    y.fill(T::neg_infinity());
    let mut done = Some(());
    each_tap(sizes, |at| {
        let mut take = || {
            let y = y.get_mut((at.y[0] * wo + at.y[1]) * depth..)?;
            let x = x.get((at.x[0] * width + at.x[1]) * depth..)?;
            keep_largest(y.get_mut(..depth)?, x);
            Some(())
        };
        done = done.and_then(|()| take());
    });
    done
}
