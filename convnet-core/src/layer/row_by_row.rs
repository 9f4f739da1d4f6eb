//! A convolution and the max pool behind it, a few rows at a time.

use super::rows::PooledRows;
use super::slide::{Geometry, pool_sizes};
use super::{Conv, MaxPool};
use crate::{Real, Volume};

/// A [`Conv`] of `HC` rows whose only reader is a [`MaxPool`]: the map between them is never whole.
///
/// ```text
///  x ──conv──▶ rows : [R][WC][K] ──max_pool──▶ y     R rows of the map, as many as a window sees
///              ▲            │
///              └────────────┘ rows that the next window sees too move up
/// ```
///
/// Every scalar is computed once, as by the two layers one after the other. An activation that
/// never falls, such as [`Relu`](super::Relu), may as well come after the pool: the largest stays the largest.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::layer::{Conv, MaxPool, RowByRow, Slide};
/// use convnet::Volume;
///
/// let mut conv = Conv::<f32, 1, 1, 1, 1>::ZERO;
/// conv.filters = [[[[2.0]]]];
/// let pool = MaxPool::<2, 2, Slide<2, 2, 0, 0>>::new();
/// let x = Volume([[[1.0], [2.0]], [[4.0], [3.0]], [[5.0], [6.0]], [[8.0], [7.0]]]);
/// let (mut rows, mut y) = (Volume::<f32, 2, 2, 1>::ZERO, Volume::<f32, 2, 1, 1>::ZERO);
/// RowByRow::<_, _, 4> { conv: &conv, pool }.forward(&x, &mut rows, &mut y);
/// assert_eq!(y, Volume([[[8.0]], [[16.0]]]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RowByRow<'a, C, P, const HC: usize> {
    /// What writes the map.
    pub conv: &'a C,
    /// What reads it.
    pub pool: P,
}

impl<
    T: Real,
    const FH: usize,
    const FW: usize,
    const D: usize,
    const K: usize,
    G: Geometry,
    const PH: usize,
    const PW: usize,
    P: Geometry,
    const FD: usize,
    const HC: usize,
> RowByRow<'_, Conv<T, FH, FW, D, K, G, FD>, MaxPool<PH, PW, P>, HC>
{
    /// The pool of the convolution of `x`; `rows` are R of the map's, R the smaller of `PH` and `HC`.
    pub fn forward<
        const H: usize,
        const W: usize,
        const R: usize,
        const WC: usize,
        const HO: usize,
        const WO: usize,
    >(
        &self,
        x: &Volume<T, H, W, D>,
        rows: &mut Volume<T, R, WC, K>,
        y: &mut Volume<T, HO, WO, K>,
    ) {
        const {
            assert!(
                R == PH || (R == HC && HC < PH),
                "as many rows as a window sees"
            );
        }
        let (conv, pool) = const {
            (
                Conv::<T, FH, FW, D, K, G, FD>::sizes::<H, W, HC, WC>(),
                pool_sizes::<P>([HC, WC, K], [PH, PW], [HO, WO, K]),
            )
        };
        let operands = PooledRows {
            conv: &conv,
            pool: &pool,
            x: x.as_slice(),
            filters: Conv::<T, FH, FW, D, K, G, FD>::flat(&self.conv.filters),
            bias: &self.conv.bias,
            forward: const {
                let sizes = Conv::<T, FH, FW, D, K, G, FD>::sizes::<H, W, HC, WC>();
                Conv::<T, FH, FW, D, K, G, FD>::forward_of(&sizes)
            },
            after: &|_| {},
        };
        // Never `None`: every place is inside, as the sizes say.
        let _ = operands.run(rows.as_mut_slice(), y.as_mut_slice());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::layer::{Layer, Slide};

    /// Both ways, in `f64` and in `f32`.
    macro_rules! check {
        ([$h:literal, $w:literal] conv $f:literal $g:ty => [$hc:literal, $wc:literal]
         pool $p:literal $q:ty => [$ho:literal, $wo:literal] in $r:literal) => {
            check!(f64, [$h, $w] conv $f $g => [$hc, $wc] pool $p $q => [$ho, $wo] in $r, 0.0);
            check!(f32, [$h, $w] conv $f $g => [$hc, $wc] pool $p $q => [$ho, $wo] in $r, 1e-5);
        };
        ($t:ty, [$h:literal, $w:literal] conv $f:literal $g:ty => [$hc:literal, $wc:literal]
         pool $p:literal $q:ty => [$ho:literal, $wo:literal] in $r:literal, $most:literal) => {{
            let mut rng = Rng::new(231);
            let mut conv = Conv::<$t, $f, $f, 3, 5, $g>::ZERO;
            let filters = conv.filters.as_flattened_mut().as_flattened_mut();
            let mut x = Volume::<$t, $h, $w, 3>::ZERO;
            let scalars = filters.as_flattened_mut().iter_mut().chain(&mut conv.bias);
            for scalar in scalars.chain(x.as_mut_slice()) {
                *scalar = (2.0 * rng.uniform() - 1.0) as $t;
            }
            let pool = MaxPool::<$p, $p, $q>::new();
            let mut map = Volume::<$t, $hc, $wc, 5>::ZERO;
            let mut expected = Volume::<$t, $ho, $wo, 5>::ZERO;
            conv.forward(&x, &mut map);
            pool.forward(&map, &mut expected);
            let mut rows = Volume::<$t, $r, $wc, 5>::ZERO;
            let mut y = Volume::<$t, $ho, $wo, 5>::ZERO;
            rows.as_mut_slice().fill(<$t>::NAN);
            RowByRow::<_, _, $hc> { conv: &conv, pool }.forward(&x, &mut rows, &mut y);
            for (y, expected) in y.as_slice().iter().zip(expected.as_slice()) {
                assert!((y - expected).abs() <= $most, "{y} is not {expected}");
            }
        }};
    }

    #[test]
    fn the_map_need_not_be_whole() {
        check!([8, 7] conv 3 Slide<1, 1, 1, 1> => [8, 7] pool 2 Slide<2, 2, 0, 0> => [4, 3] in 2);
        check!([9, 9] conv 5 Slide<1, 1, 2, 2> => [9, 9] pool 3 Slide<2, 2, 0, 0> => [4, 4] in 3);
        // The last window hangs over the border.
        check!([8, 8] conv 5 Slide<1, 1, 2, 2> => [8, 8] pool 3 Slide<2, 2, 0, 0> => [4, 4] in 3);
        // Windows that overlap by more than they slide, and hang over above.
        check!([7, 7] conv 3 Slide<1, 1, 0, 0> => [5, 5] pool 3 Slide<1, 1, 1, 1> => [5, 5] in 3);
        check!([12, 6] conv 2 Slide<2, 1, 0, 0> => [6, 5] pool 5 Slide<1, 1, 2, 2> => [6, 5] in 5);
        // Windows with a gap between them.
        check!([9, 9] conv 3 Slide<1, 1, 1, 1> => [9, 9] pool 2 Slide<4, 4, 0, 0> => [2, 2] in 2);
        // One window, larger than the map.
        check!([4, 4] conv 3 Slide<1, 1, 0, 0> => [2, 2] pool 4 Slide<1, 1, 1, 1> => [1, 1] in 2);
    }
}
