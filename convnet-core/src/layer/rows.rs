//! A convolution and the max pool behind it on slices, a few rows of the map at a time.

use super::conv;
use super::max_pool;
use crate::Real;
use crate::kernel::Sizes;
use crate::kernel::pieces::pieces_mut;

/// The max pool of a convolution. Not generic over sizes, so that it is compiled once a scalar.
pub(crate) struct PooledRows<'a, T> {
    pub(crate) conv: &'a Sizes,
    pub(crate) pool: &'a Sizes,
    pub(crate) x: &'a [T],
    pub(crate) filters: &'a [T],
    pub(crate) bias: &'a [T],
    /// What computes rows of the map.
    pub(crate) forward: conv::Forward<T>,
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
        for (oy, y) in pieces_mut(y, out).enumerate() {
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
                let (cut, start) = self.conv.rows(end..until);
                let x = self.x.get(start * cut.x[1] * cut.x[2]..)?;
                (self.forward)(&cut, x, [self.filters, self.bias], new);
                (self.after)(new);
                end = until;
            }
            let cut = Sizes {
                x: [until - start, width, filters],
                before: [above, pool.before[1]],
                y: [1, pool.y[1], filters],
                ..*pool
            };
            max_pool::forward(&cut, rows.get(..(until - start) * row)?, y);
        }
        Some(())
    }
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
