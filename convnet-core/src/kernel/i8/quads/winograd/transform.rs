//! Bᵀ and Aᵀ along one axis, in registers.

use crate::kernel::i8::quads::Pairs;

/// Bᵀ x, of which a point has 2 or 10 at most as the sum of the distances of its numbers from zero.
#[inline(always)]
pub(super) fn values<D: Pairs, const A: usize>(d: D, x: [D::W; A]) -> [D::W; A] {
    let mut v = x;
    if const { A == 4 } {
        v[0] = d.words_minus(x[0], x[2]);
        v[1] = d.words_plus(x[1], x[2]);
        v[2] = d.words_minus(x[2], x[1]);
        v[3] = d.words_minus(x[3], x[1]);
        return v;
    }
    let even = d.words_minus(x[4], d.words_left::<2>(x[2]));
    let odd = d.words_minus(x[3], d.words_left::<2>(x[1]));
    v[1] = d.words_plus(even, odd);
    v[2] = d.words_minus(even, odd);
    let even = d.words_minus(x[4], x[2]);
    let odd = d.words_left::<1>(d.words_minus(x[3], x[1]));
    v[3] = d.words_plus(even, odd);
    v[4] = d.words_minus(even, odd);
    let first = d.words_left::<2>(d.words_minus(x[0], x[2]));
    v[0] = d.words_plus(first, even);
    let last = d.words_minus(x[5], x[3]);
    v[5] = d.words_minus(last, d.words_left::<1>(odd));
    v
}

/// Aᵀ m.
#[inline(always)]
pub(super) fn sums<D: Pairs, const A: usize, const M: usize>(
    d: D,
    m: [D::Sums; A],
) -> [D::Sums; M] {
    let mut y = [m[0]; M];
    let [even, odd] = [d.plus(m[1], m[2]), d.minus(m[1], m[2])];
    y[0] = d.plus(m[0], even);
    if const { M == 2 } {
        y[1] = d.plus(odd, m[3]);
        return y;
    }
    let [far, twice] = [d.plus(m[3], m[4]), d.left::<1>(d.minus(m[3], m[4]))];
    y[0] = d.plus(y[0], far);
    y[1] = d.plus(odd, twice);
    y[2] = d.plus(even, d.left::<2>(far));
    y[3] = d.plus(d.plus(odd, d.left::<2>(twice)), d.left::<1>(m[5]));
    y
}
