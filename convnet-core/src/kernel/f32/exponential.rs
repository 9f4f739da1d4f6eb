//! Exponentials without calls or branches, a vector at a time.
//!
//! ```text
//!   eˣ = 2ⁿ · eʳ,  n = x/ln 2 rounded,  |r| <= ln 2 / 2;  eʳ ≈ 1 + r + r²·P(r), P of degree 5
//!   σ(x) = 1/(1 + e⁻ˣ)
//!   tanh(x) = ±(1 − 2/(e^2|x| + 1)), and x + x³·Q(x²) near zero, where that would cancel
//!   eˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1)
//!   Φ(−|x|) ≈ e^−x²/2 · t·A(t)/2,  t = 1/(1 + p·|x|/√2),  A of degree 4
//! ```
//!
//! Moshier's polynomials (*Cephes Mathematical Library*, `expf` and `tanhf`). The relative error of
//! each is below 4 units of the last place, tested against `f64`; what would be subnormal is zero, or may be. A is of
//! Abramowitz and Stegun (*Handbook of Mathematical Functions*, 7.1.26): Φ is within 1.5e-7.

use core::f32::consts::LOG2_E;
use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

use crate::Real;
use crate::kernel::Done;
use crate::kernel::simd::lanes;
use crate::kernel::simd::level::dispatch;

/// 2·√(2/π), by which `gelu_tanh` is steep.
pub(crate) const GELU_STEEP: f64 = 2.0 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
/// How much of v³ it adds to v.
pub(crate) const GELU_CUBE: f64 = 0.044_715;

/// `v[i] = of(v[i])`, a vector at a time: by a closure, since a function's name is called, not inlined.
macro_rules! each {
    ($v:ident, $simd:ident, $x:ident => $of:expr) => {{
        let done: Option<()> =
            dispatch!(simd => each(simd, $v, #[inline(always)] |$simd, $x| $of));
        done.is_some()
    }};
}

/// `v[i] = σ(v[i])`.
pub fn sigmoid<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    each!(v, simd, x => logistic(simd, x))
}

/// `v[i] = tanh(v[i])`.
pub fn tanh<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    each!(v, simd, x => hyperbolic(simd, x))
}

/// `v[i] = exp(v[i])`.
pub fn exp<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    each!(v, simd, x => whole(simd, x))
}

/// `v[i] = v[i]·σ(v[i])`.
pub fn silu<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    each!(v, simd, x => swish(simd, x))
}

/// `v[i] = v[i]·Φ(v[i])`.
pub fn gelu<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    each!(v, simd, x => normal(simd, x))
}

/// `v[i] = v[i]·σ(2√(2/π)·(v[i] + 0.044715·v[i]³))`.
pub fn gelu_tanh<T: Real>(v: &mut [T]) -> Done {
    as_f32!(; v);
    each!(v, simd, x => gated(simd, x))
}

/// `v[i]`, or `alpha·(exp(v[i]) − 1)` below zero.
pub fn elu<T: Real>(v: &mut [T], alpha: T) -> Done {
    as_f32!(; v);
    let alpha = alpha.widen() as f32;
    each!(v, simd, x => x.simd_gt(0.0).select(x, natural_less_one(simd, x) * alpha))
}

/// Vector by vector; what is left is part of a vector whose other lanes are zero.
#[inline(always)]
fn each<S: Simd>(simd: S, v: &mut [f32], of: impl Fn(S, S::f32s) -> S::f32s) -> Option<()> {
    let len = const { <S::f32s as SimdBase<S>>::LEN };
    let mut vectors = v.chunks_exact_mut(len);
    for v in &mut vectors {
        of(simd, SimdBase::from_slice(simd, v)).store_slice(v);
    }
    let rest = vectors.into_remainder();
    if !rest.is_empty() {
        let mut last = <S::f32s as SimdBase<S>>::splat(simd, 0.0);
        last.as_mut_slice()[..rest.len()].copy_from_slice(rest);
        rest.copy_from_slice(&of(simd, last).as_slice()[..rest.len()]);
    }
    Some(())
}

/// Beyond these n is below −126, and 2ⁿ zero, or above 127, and 2ⁿ infinite.
const RANGE: [f32; 2] = [-88.0, 89.0];

/// eʳ − 1 of x within [`RANGE`], and a number whose lowest bits are n + 127.
#[inline(always)]
fn parts<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
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
    let x = lanes::Lanes::clamp(x, simd, Some(RANGE));
    let shifted = x.mul_add(LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2[1], n.mul_add(-LN_2[0], x));
    let p = polynomial(simd, P, r);
    ((p * r).mul_add(r, r), shifted)
}

/// Added, this leaves a whole number in the lowest bits of the sum, 127 more than what was added to.
const ROUND: f32 = ((3 << 22) + 127) as f32;

/// 2ⁿ, where the lowest bits of a number are n + 127.
#[inline(always)]
fn power<S: Simd>(bits: <S::f32s as SimdFloat<S>>::Bits) -> S::f32s {
    SimdFloat::from_bits(bits << 23)
}

/// Of the coefficients, that of the highest power first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, of: [f32; N], x: S::f32s) -> S::f32s {
    let mut p = <S::f32s as SimdBase<S>>::splat(simd, of[0]);
    for c in &of[1..] {
        p = p.mul_add(x, *c);
    }
    p
}

/// eˣ, and infinite already from 2^127.5 on.
#[inline(always)]
fn natural<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (rest, shifted) = parts(simd, x);
    (rest + 1.0) * power::<S>(shifted.to_bits())
}

/// eˣ as far as there are numbers for it, and zero for subnormal ones.
#[inline(always)]
fn whole<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (rest, shifted) = parts(simd, x);
    // 2ⁿ in two factors: n may be 128. Of n + 254, each has a half.
    let both = shifted.to_bits() - (ROUND.to_bits() - 254);
    let half = both >> 1;
    let power = (rest + 1.0) * power::<S>(half) * power::<S>(both - half);
    x.simd_lt(-87.336_54)
        .select(SimdBase::splat(simd, 0.0), power)
}

/// eˣ − 1 of what is not positive.
#[inline(always)]
fn natural_less_one<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (rest, shifted) = parts(simd, x);
    let power = power::<S>(shifted.to_bits());
    rest.mul_add(power, power - 1.0)
}

/// x·Φ(x).
#[inline(always)]
fn normal<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const P: f32 = 0.327_591_1 * core::f32::consts::FRAC_1_SQRT_2;
    const A: [f32; 5] = [
        1.061_405_4,
        -1.453_152,
        1.421_413_8,
        -0.284_496_72,
        0.254_829_6,
    ];
    let one = one(simd);
    let t = one / x.abs().mul_add(P, one);
    let tail = polynomial(simd, A, t) * t * natural(simd, x * x * -0.5) * 0.5;
    x * x.simd_lt(0.0).select(tail, one - tail)
}

#[inline(always)]
fn one<S: Simd>(simd: S) -> S::f32s {
    SimdBase::splat(simd, 1.0)
}

#[inline(always)]
fn logistic<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    one(simd) / (natural(simd, -x) + 1.0)
}

#[inline(always)]
fn swish<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    x / (natural(simd, -x) + 1.0)
}

#[inline(always)]
fn gated<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const FACTORS: [f32; 2] = [GELU_STEEP as f32, GELU_CUBE as f32];
    let inner = x * (x * x).mul_add(FACTORS[1], 1.0) * FACTORS[0];
    x / (natural(simd, -inner) + 1.0)
}

#[inline(always)]
fn hyperbolic<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const Q: [f32; 5] = [
        -5.704_988_7e-3,
        2.063_909e-2,
        -5.373_971_6e-2,
        1.333_144_2e-1,
        -3.333_328e-1,
    ];
    let (z, size) = (x * x, x.abs());
    let less = one(simd) / (natural(simd, size + size) + 1.0);
    let far = one(simd) - (less + less);
    let near = (polynomial(simd, Q, z) * z).mul_add(size, size);
    size.simd_lt(0.625).select(near, far).copysign(x)
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
        let swish = error(silu, |x| x / (1.0 + (-x).exp()), [-870_000, 1_000_000]);
        let one = |v: &mut [f32]| elu(v, 1.0);
        let below = error(
            one,
            |x| if x > 0.0 { x } else { x.exp_m1() },
            [-873_300, 10],
        );
        assert!(swish < 5.0, "silu: {swish}");
        assert!(below < 4.0, "elu: {below}");
        assert!(exponential < 4.0, "exp: {exponential}");
        assert!(logistic < 4.0, "sigmoid: {logistic}");
        assert!(hyperbolic < 4.0, "tanh: {hyperbolic}");
    }

    /// Of the input: half of 1.5e-7 for Φ, and what is rounded.
    #[test]
    fn gelu_is_within_what_is_said() {
        let exact = |x: f64| 0.5 * x * libm::erfc(-x * FRAC_1_SQRT_2);
        let cubic = |x: f64| {
            let inner = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (x + 0.044_715 * x * x * x);
            0.5 * x * (1.0 + inner.tanh())
        };
        type Fast = fn(&mut [f32]) -> Done;
        let cases: [(Fast, &dyn Fn(f64) -> f64); 2] = [(gelu, &exact), (gelu_tanh, &cubic)];
        for (fast, exact) in cases {
            let x: Vec<f32> = (-10_000..10_000).map(|x| x as f32 / 1000.0).collect();
            for level in levels() {
                let mut y = x.clone();
                assert!(with_level(level, || fast(&mut y)));
                for (x, y) in x.iter().zip(&y) {
                    let differs = (f64::from(*y) - exact(f64::from(*x))).abs();
                    assert!(
                        differs < 2e-7 * f64::from(x.abs()).max(1.0),
                        "{x}: {differs}"
                    );
                }
            }
        }
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
            let one = |v: &mut [f32]| elu(v, 1.0);
            assert_eq!(all(one), [-1.0, -1.0, 0.0, 0.0, 1e4, f32::INFINITY]);
            for function in [silu, gelu, gelu_tanh] {
                assert_eq!(
                    ends[1..]
                        .iter()
                        .map(|x| of(function, *x))
                        .collect::<Vec<_>>(),
                    [0.0, 0.0, 0.0, 1e4, f32::INFINITY]
                );
            }
            for function in [exp, sigmoid, tanh, silu, gelu, gelu_tanh, one] {
                assert!(of(function, f32::NAN).is_nan());
            }
        }
    }
}
