//! Exponentials without calls or branches, which the compiler vectorises for each level.
//!
//! ```text
//!   eˣ = 2ⁿ · eʳ,  n = x/ln 2 rounded,  |r| <= ln 2 / 2;  eʳ ≈ 1 + r + r²·P(r), P of degree 5
//!   σ(x) = 1/(1 + e⁻ˣ)
//!   tanh(x) = ±(1 − 2/(e^2|x| + 1)), and x + x³·Q(x²) near zero, where that would cancel
//! ```
//!
//! Moshier's polynomials (*Cephes Mathematical Library*, `expf` and `tanhf`). The relative error of
//! each is below 4 units of the last place, tested against `f64`; what would be subnormal is zero.

use fearless_simd::Simd;

use crate::Real;
use crate::kernel::Done;
use crate::kernel::simd::level::dispatch;

/// `v[i] = σ(v[i])`.
pub fn sigmoid<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    let done: Option<()> = dispatch!(simd => each(simd, v, logistic));
    done.is_some()
}

/// `v[i] = tanh(v[i])`.
pub fn tanh<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    let done: Option<()> = dispatch!(simd => each(simd, v, hyperbolic));
    done.is_some()
}

/// `v[i] = exp(v[i])`.
pub fn exp<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    let done: Option<()> = dispatch!(simd => each(simd, v, natural));
    done.is_some()
}

#[inline(always)]
fn each<S: Simd>(_: S, v: &mut [f32], of: impl Fn(f32) -> f32) -> Option<()> {
    for v in v {
        *v = of(*v);
    }
    Some(())
}

/// Below this eˣ is subnormal, and above that it is infinite.
const RANGE: [f32; 2] = [-87.336_54, 88.722_83];

#[inline(always)]
fn natural(x: f32) -> f32 {
    // Added and taken away again, this leaves a whole number, and that in the lowest bits of the sum.
    const ROUND: f32 = (3 << 22) as f32;
    // ln 2 in two parts; n times the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const P: [f32; 6] = [
        1.987_569_1e-4,
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ];
    let shifted = x * core::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut p = P[0];
    for c in &P[1..] {
        p = p * r + c;
    }
    // 2ⁿ in two factors: n may be 128.
    let bits = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    let half = (bits as i32) >> 1;
    let two_to = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    let power = (p * r * r + r + 1.0) * two_to(half) * two_to((bits as i32).wrapping_sub(half));
    let power = if x < RANGE[0] { 0.0 } else { power };
    if x > RANGE[1] { f32::INFINITY } else { power }
}

#[inline(always)]
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + natural(-x))
}

#[inline(always)]
fn hyperbolic(x: f32) -> f32 {
    const Q: [f32; 5] = [
        -5.704_988_7e-3,
        2.063_909e-2,
        -5.373_971_6e-2,
        1.333_144_2e-1,
        -3.333_328e-1,
    ];
    let (z, size) = (x * x, x.abs());
    let mut q = Q[0];
    for c in &Q[1..] {
        q = q * z + c;
    }
    let far = 1.0 - 2.0 / (natural(2.0 * size) + 1.0);
    let near = q * z * size + size;
    if size < 0.625 { near } else { far }.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{levels, with_level};

    /// The largest relative error, in units of the last place, from one ten thousandth to the next.
    fn error(fast: fn(&mut [f32]) -> Done, exact: fn(f64) -> f64, x: [i32; 2]) -> f64 {
        let x: Vec<f32> = (x[0]..x[1]).map(|x| x as f32 / 10_000.0).collect();
        let mut largest = 0.0_f64;
        for level in levels() {
            let mut y = x.clone();
            assert!(with_level(level, || fast(&mut y)));
            for (x, y) in x.iter().zip(&y) {
                let exact = exact(f64::from(*x));
                if exact != 0.0 {
                    largest = largest.max((f64::from(*y) / exact - 1.0).abs());
                }
            }
        }
        largest / f64::from(f32::EPSILON)
    }

    #[test]
    fn each_is_exact_to_a_few_last_places() {
        let exponential = error(exp, f64::exp, [-873_300, 887_200]);
        let logistic = error(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), [-870_000, 1_000_000]);
        let hyperbolic = error(tanh, f64::tanh, [-200_000, 200_000]);
        assert!(exponential < 4.0, "exp: {exponential}");
        assert!(logistic < 4.0, "sigmoid: {logistic}");
        assert!(hyperbolic < 4.0, "tanh: {hyperbolic}");
    }

    #[test]
    fn the_ends_are_the_limits() {
        let ends = [f32::NEG_INFINITY, -1e4, -0.0, 0.0, 1e4, f32::INFINITY];
        for level in levels() {
            let of = |function: fn(&mut [f32]) -> Done, x: f32| {
                let mut y = [x; 19];
                assert!(with_level(level, || function(&mut y)));
                y[18]
            };
            let all = |function| ends.map(|x| of(function, x));
            assert_eq!(all(exp), [0.0, 0.0, 1.0, 1.0, f32::INFINITY, f32::INFINITY]);
            assert_eq!(all(sigmoid), [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]);
            assert_eq!(all(tanh), [-1.0, -1.0, 0.0, 0.0, 1.0, 1.0]);
            assert!(of(tanh, -0.0).is_sign_negative());
            for function in [exp, sigmoid, tanh] {
                assert!(of(function, f32::NAN).is_nan());
            }
        }
    }
}
