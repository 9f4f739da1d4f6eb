//! Products of polynomials by their values at a few points (Toom and Cook): the three transforms
//! that [Winograd's convolution](super) is made of.
//!
//! A = 2H + 2 points: 0, ±p₁ … ±p_H and ∞. Of M = A − F + 1 outputs y of a filter g of F,
//!
//! ```text
//!   y = Aᵀ [(G g) ⊙ (Bᵀ x)]          M              values of x at the points: `values`
//!                                    │  A products  values of g, scaled: `filter_rows`
//!                                    ▼              the outputs: `sums`
//! ```
//!
//! Points come in pairs, so sums over even and odd powers are shared. Bᵀ depends on A only.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use crate::kernel::simd::lanes::Lanes;
use crate::kernel::window::extent;

/// The numbers of one H.
struct Points {
    /// p₁ … p_H.
    points: [f32; 3],
    /// Coefficients of Π (z − pⱼ²) over all j ≠ i, lowest first; the highest is 1.
    others: [[f32; 3]; 3],
    /// Coefficients of Π (z − pⱼ²), lowest first; the highest is 1.
    all: [f32; 4],
    /// powers[i][n] = pᵢⁿ.
    powers: [[f32; 6]; 3],
}

const fn points(h: usize) -> Points {
    // Chosen for the smallest error among points whose squares are exact in f32.
    let points = match h {
        1 => [1.0, 0.0, 0.0],
        2 => [0.75, 1.5, 0.0],
        _ => [1.0, 2.0, 0.5],
    };
    let mut others = [[0.0; 3]; 3];
    let mut powers = [[1.0; 6]; 3];
    let mut i = 0;
    while i < h {
        let product = product(&points, h, i);
        others[i] = [product[0], product[1], product[2]];
        let mut n = 1;
        while n < 6 {
            powers[i][n] = powers[i][n - 1] * points[i];
            n += 1;
        }
        i += 1;
    }
    Points {
        points,
        others,
        all: product(&points, h, h),
        powers,
    }
}

/// Coefficients of Π (z − pⱼ²) over all j < h but one.
const fn product(points: &[f32; 3], h: usize, without: usize) -> [f32; 4] {
    let mut product = [1.0, 0.0, 0.0, 0.0];
    let mut j = 0;
    while j < h {
        if j != without {
            let mut n = 3;
            while n > 0 {
                product[n] = product[n - 1] - points[j] * points[j] * product[n];
                n -= 1;
            }
            product[0] *= -points[j] * points[j];
        }
        j += 1;
    }
    product
}

/// F at most.
pub(crate) const LONGEST: usize = 5;

/// G: the values at the points of a filter of F, over Π (p − q) for the other finite points q.
pub(crate) const fn filter_rows(h: usize, f: usize) -> [[f64; LONGEST]; 8] {
    let pairs = points(h).points;
    let mut g = [[0.0; LONGEST]; 8];
    let mut n = 0;
    while n <= 2 * h {
        let (mut over, mut other) = (1.0, 0);
        while other <= 2 * h {
            if other != n {
                over *= point(&pairs, n) - point(&pairs, other);
            }
            other += 1;
        }
        g[n][0] = 1.0 / over;
        let mut power = 1;
        while power < f {
            g[n][power] = g[n][power - 1] * point(&pairs, n);
            power += 1;
        }
        n += 1;
    }
    g[2 * h + 1][f - 1] = 1.0;
    g
}

/// Finite point n: 0, p₁, −p₁, p₂ …
const fn point(pairs: &[f32; 3], n: usize) -> f64 {
    match n {
        0 => 0.0,
        n if n % 2 == 1 => pairs[n / 2] as f64,
        n => -pairs[n / 2 - 1] as f64,
    }
}

const fn rounded(rows: [[f64; LONGEST]; 8]) -> [[f32; LONGEST]; 8] {
    let mut to = [[0.0; LONGEST]; 8];
    let mut n = 0;
    while n < 8 * LONGEST {
        let (row, power) = (n / LONGEST, n % LONGEST);
        #[expect(clippy::cast_possible_truncation, reason = "rounded once")]
        let rounded = rows[row][power] as f32;
        to[row][power] = rounded;
        n += 1;
    }
    to
}

/// G g, of vectors. What the values at ±p are divided by is the same, so they share even and odd powers.
#[inline(always)]
fn factors<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const F: usize>(
    simd: S,
    g: [V; F],
) -> [V; A] {
    let rows = const { rounded(filter_rows(H, F)) };
    let mut u = [g[F - 1]; A];
    u[0] = g[0].mul(V::splat(simd, rows[0][0]));
    for i in 0..H {
        let n = 2 * i + 1;
        let mut even = g[0].mul(V::splat(simd, rows[n][0]));
        let mut odd = g[1].mul(V::splat(simd, rows[n][1]));
        for power in 2..F {
            let by = V::splat(simd, rows[n][power]);
            match power % 2 {
                0 => even = g[power].mul_add(by, even),
                _ => odd = g[power].mul_add(by, odd),
            }
        }
        u[n] = even.add(odd);
        u[n + 1] = odd.mul_add(V::splat(simd, -1.0), even);
    }
    u
}

/// G g Gᵀ: a value to every `plane` of `u`, from `at` on; nothing, if there is no room for all.
#[inline(always)]
pub(crate) fn spread<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const F: usize>(
    simd: S,
    g: [[V; F]; F],
    u: &mut [f32],
    plane: usize,
    at: usize,
) {
    let room = extent(A * A, plane, V::LEN).unwrap_or(usize::MAX);
    let Some(u) = u.get_mut(at..).and_then(|u| u.get_mut(..room)) else {
        return;
    };
    let mut tile = [[V::splat(simd, 0.0); F]; A];
    for c in 0..F {
        let mut column = g[0];
        for r in 0..F {
            column[r] = g[r][c];
        }
        let column = factors::<S, V, H, A, F>(simd, column);
        for r in 0..A {
            tile[r][c] = column[r];
        }
    }
    for r in 0..A {
        let row = factors::<S, V, H, A, F>(simd, tile[r]);
        for c in 0..A {
            // SAFETY: at + LEN <= (A² − 1) · plane + LEN = u.len(), because r < A and c < A.
            unsafe { row[c].store_unchecked(u, (r * A + c) * plane) };
        }
    }
}

/// Bᵀ x. With z = p², x splits into even and odd powers, which ±p share:
/// Σ x₂ₙ₊₂·cₙ ± p · Σ x₂ₙ₊₁·cₙ.
#[inline(always)]
pub(crate) fn values<S: Simd, V: Lanes<S>, const H: usize, const A: usize>(
    simd: S,
    x: [V; A],
) -> [V; A] {
    let points = const { &points(H) };
    let mut y = x;
    let (mut zero, mut infinity) = (x[2 * H], x[2 * H + 1]);
    for n in 0..H {
        let c = V::splat(simd, points.all[n]);
        zero = x[2 * n].mul_add(c, zero);
        infinity = x[2 * n + 1].mul_add(c, infinity);
    }
    (y[0], y[2 * H + 1]) = (zero, infinity);
    for i in 0..H {
        let (mut even, mut odd) = (x[2 * H], x[2 * H - 1]);
        for n in 0..H - 1 {
            let c = V::splat(simd, points.others[i][n]);
            even = x[2 * n + 2].mul_add(c, even);
            odd = x[2 * n + 1].mul_add(c, odd);
        }
        let p = points.points[i];
        y[2 * i + 1] = odd.mul_add(V::splat(simd, p), even);
        y[2 * i + 2] = odd.mul_add(V::splat(simd, -p), even);
    }
    y
}

/// Aᵀ m: yₙ = Σ pⁿ·m over the points, and the value at ∞ in the highest.
#[inline(always)]
pub(crate) fn sums<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const M: usize>(
    simd: S,
    m: [V; A],
) -> [V; M] {
    let points = const { &points(H) };
    let zero = V::splat(simd, 0.0);
    let (mut even, mut odd) = ([zero; H], [zero; H]);
    for i in 0..H {
        even[i] = m[2 * i + 1].add(m[2 * i + 2]);
        odd[i] = m[2 * i + 2].mul_add(V::splat(simd, -1.0), m[2 * i + 1]);
    }
    let mut y = [zero; M];
    for n in 0..M {
        for i in 0..H {
            let half = if n % 2 == 0 { even[i] } else { odd[i] };
            let power = V::splat(simd, points.powers[i][n]);
            y[n] = match (n, i) {
                (0, 0) => half.add(m[0]),
                (n, 0) if n == M - 1 => half.mul_add(power, m[2 * H + 1]),
                (_, 0) => half.mul(power),
                _ => half.mul_add(power, y[n]),
            };
        }
    }
    y
}
