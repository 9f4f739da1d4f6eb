//! A map row by row: all of it, or so many rows as a pool behind it sees.

use super::Pool;
use crate::kernel::Sizes;
use crate::kernel::pieces::pieces_mut;

/// Computes the rows of a layer of such `sizes` in order, by `row`: into y, or into `map`, out of which a pool
/// takes them as they come. Row `oy` lies at `oy` modulo the rows that there are.
#[inline(always)]
#[must_use]
pub fn by_rows(
    sizes: &Sizes,
    pool: Option<Pool<'_>>,
    map: &mut [i8],
    y: &mut [i8],
    mut row: impl FnMut(usize, &mut [i8]) -> Option<()>,
) -> Option<()> {
    let [height, width, depth] = sizes.y;
    let len = width * depth;
    if len == 0 {
        return None;
    }
    let Some(pool) = pool else {
        if y.len() != height * len {
            return None;
        }
        for (oy, y) in pieces_mut(y, len).enumerate() {
            row(oy, y)?;
        }
        return Some(());
    };
    let rows = map.len().checked_div(len)?;
    let [pooled_height, pooled_width, pooled_depth] = pool.sizes.y;
    let pooled = pooled_width * pooled_depth;
    if pooled == 0 || y.len() != pooled_height * pooled {
        return None;
    }
    let slot = |oy: usize| Some(oy.checked_rem(rows)? * len);
    let mut done = 0;
    for (py, y) in pieces_mut(y, pooled).enumerate() {
        let end = pool.sizes.input(0, py, pool.sizes.filter[0]);
        while done < end.unwrap_or(0).min(height) {
            let to = map.get_mut(slot(done)?..)?.get_mut(..len)?;
            row(done, to)?;
            done += 1;
        }
        let map = &*map;
        pool.max_row(py, y, |oy| map.get(slot(oy)?..)?.get(..len))?;
    }
    Some(())
}

impl Sizes {
    /// x in other places: each pixel for as many as it becomes, and of its depths the first of each group, then the
    /// second of each, and so on. Where y is less deep, a part of the depth becomes each of these pixels; where it is
    /// deeper, it has several pixels of x in a column.
    pub(crate) fn moved<T: Copy>(&self, x: &[T], y: &mut [T]) -> Option<()> {
        let ([height, width, depth], [ho, wo, k], groups) = (self.x, self.y, self.groups);
        let each = depth.checked_div(groups)?;
        if depth == 0 || k == 0 {
            return None;
        }
        let mut columns = pieces_mut(y, k);
        let places = (0..ho).flat_map(|oy| (0..wo).map(move |ox| (oy, ox)));
        if k != depth {
            let (tall, wide) = match k < depth {
                true => (ho.checked_div(height)?, wo.checked_div(width)?),
                false => (height.checked_div(ho)?, width.checked_div(wo)?),
            };
            for (oy, ox) in places {
                for (part, y) in pieces_mut(columns.next()?, depth.min(k)).enumerate() {
                    let (down, right) = (part.checked_div(wide)?, part.checked_rem(wide)?);
                    let (iy, ix, own) = match k < depth {
                        true => {
                            let own = oy.checked_rem(tall)? * wide + ox.checked_rem(wide)?;
                            (oy.checked_div(tall)?, ox.checked_div(wide)?, own)
                        }
                        false => (oy * tall + down, ox * wide + right, 0),
                    };
                    let from = x.get((iy * width + ix) * depth + own * k..)?;
                    y.iter_mut().zip(from).for_each(|(y, x)| *y = *x);
                }
            }
            return Some(());
        }
        for (oy, ox) in places {
            let [iy, ix] = [
                (oy * height).checked_div(ho)?,
                (ox * width).checked_div(wo)?,
            ];
            let from = x.get((iy * width + ix) * depth..)?.get(..depth)?;
            for (d, y) in columns.next()?.iter_mut().enumerate() {
                let from = from.get(d.checked_rem(groups)? * each + d.checked_div(groups)?);
                *y = *from?;
            }
        }
        Some(())
    }
}
