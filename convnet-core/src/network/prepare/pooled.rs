//! A convolution whose map a max pool reads, and nobody else.
//!
//! ```text
//!  x ──map──▶ all rows of the map ──pool──▶ z     two calls; x may be overwritten in between
//!  x ───────────(nothing)─────────▶ z             the pool takes the rows as they come
//! ```
//!
//! How many rows of the map there is memory for tells the two apart.

use super::{Group, Reader};
use crate::layer::repack::{Norm, Pool, Repack};
use crate::layer::rows::PooledRows;
use crate::layer::{conv, max_pool};
use crate::{AnyVolume, Real, kernel};

impl<T: Real> Reader<'_, T> {
    /// Writes the next group's map, if `map` has room for all of it. [`pool`](Self::pool) follows.
    pub fn map<X, Y, L, N>(&mut self, group: &Group<'_, L, N>, x: &X, map: &mut [T])
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
    {
        if map.len() < whole::<Y>() {
            return;
        }
        let from = self.packed::<X, Y, L, N>(group);
        let x = x.as_slice();
        if !L::forward_packed(&from, x, self.scratch, map) {
            let [filters, bias] = group.filters.declared();
            conv::forward(from.sizes, x, [filters, bias], map);
            group.finish(map);
        }
    }

    /// `z` = the pool of the next group's map: of `map`, where that is whole; if not, of the rows of
    /// it, which are computed from `x` when they are needed.
    pub fn pool<X, Y, Z, L, N, P>(
        &mut self,
        group: &Group<'_, L, N>,
        _: &P,
        x: &[T],
        map: &mut [T],
        z: &mut Z,
    ) where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        Z: AnyVolume<Scalar = T>,
        L: Repack<X, Y>,
        N: Norm<T>,
        P: Pool<Y, Z>,
    {
        let (pool, z) = (const { &P::SIZES }, z.as_mut_slice());
        let from = self.packed::<X, Y, L, N>(group);
        if map.len() >= whole::<Y>() {
            max_pool::forward(pool, map, z);
        } else if !kernel::conv_pool_forward_packed(&from, pool, x, self.scratch, z) {
            let [filters, bias] = group.filters.declared();
            let rows = PooledRows {
                conv: from.sizes,
                pool,
                x,
                filters,
                bias,
                forward: conv::forward,
                after: &|rows| group.finish(rows),
            };
            // Never `None`: every place is inside, as the sizes say.
            let _ = rows.run(map, z);
        }
        self.skip::<X, Y, L, N>();
    }
}

/// Scalars of a volume.
const fn whole<V: AnyVolume>() -> usize {
    V::SHAPE[0] * V::SHAPE[1] * V::SHAPE[2]
}
