//! A few neighbouring scalars as one value: what the tiles are generic over.

#![expect(unsafe_code, reason = "loads and stores without a check")]

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};

/// The high half of a scalar's bits.
const HIGH: u32 = 0xffff_0000;

/// `LEN` scalars.
pub(crate) trait Lanes<S: Simd>: Copy {
    const LEN: usize;

    fn splat(simd: S, value: f32) -> Self;

    /// The scalars of `from[at..]`; `None` if they are not all there.
    fn load(simd: S, from: &[f32], at: usize) -> Option<Self>;

    /// The scalars of `from[at..]`.
    ///
    /// # Safety
    ///
    /// `at + LEN <= from.len()`
    unsafe fn load_unchecked(simd: S, from: &[f32], at: usize) -> Self;

    /// Writes to `to[at..]`, if there is room.
    fn store(self, to: &mut [f32], at: usize);

    /// Writes to `to[at..]`. Without a branch: what one could skip would be computed behind it.
    ///
    /// # Safety
    ///
    /// `at + LEN <= to.len()`
    unsafe fn store_unchecked(self, to: &mut [f32], at: usize);

    /// Writes to `to[at]`, `to[at + step]`, …, as far as there is room.
    fn scatter(self, to: &mut [f32], at: usize, step: usize);

    /// Of `self` and what follows it, the lanes at even places, and those at odd ones.
    fn unzip(self, next: Self) -> [Self; 2];

    /// `self · factor + sum`, fused where the hardware can.
    fn mul_add(self, factor: Self, sum: Self) -> Self;

    fn add(self, other: Self) -> Self;

    fn mul(self, other: Self) -> Self;

    /// Lane by lane the greater one; NaN where `other` is, and where `self` alone is, NaN or `other`.
    fn max(self, other: Self) -> Self;

    /// Lane by lane the smaller one; NaN where `other` is.
    fn min(self, other: Self) -> Self;

    /// Lane by lane the greater one; NaN where either is.
    fn largest(self, other: Self) -> Self;

    /// Pairwise.
    fn sum(self) -> f32;

    /// The lanes below `lane` set to zero.
    fn clear_below(self, lane: usize) -> Self;

    /// Where `len` scalars are read a vector at a time and the last vector ends at the last scalar:
    /// one in its lanes that were not in the vector before, zero in the others.
    #[inline(always)]
    fn rest(simd: S, len: usize) -> Self {
        Self::splat(simd, 1.0).clear_below(Self::LEN - len % Self::LEN)
    }

    /// Each lane's bits as two numbers in bfloat16: the low half, and the high half.
    fn halves(self) -> [Self; 2];

    /// Lane by lane `if self > other { a } else { b }`.
    fn if_greater(self, other: Self, a: Self, b: Self) -> Self;

    /// Lane by lane `if self == other { a } else { b }`.
    fn if_equal(self, other: Self, a: Self, b: Self) -> Self;

    /// Lane by lane no less than the first bound, and no more than the second. NaN stays NaN.
    #[inline(always)]
    fn clamp(self, simd: S, bounds: Option<[f32; 2]>) -> Self {
        let [low, high] = bounds.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        let v = Self::splat(simd, low).max(self);
        Self::splat(simd, high).min(v)
    }
}

/// Where `max` and `min` may return the number if the other is NaN.
const RELAXED: bool = cfg!(target_feature = "relaxed-simd");

/// Where `max` is NaN if either is: on NEON and in WebAssembly, and not on x86.
const KEEPS_NAN: bool = !RELAXED && cfg!(any(target_arch = "aarch64", target_arch = "wasm32"));

impl<S: Simd, V: SimdFloat<S, Element = f32>> Lanes<S> for V {
    const LEN: usize = V::LEN;

    #[inline(always)]
    fn splat(simd: S, value: f32) -> Self {
        V::splat(simd, value)
    }

    #[inline(always)]
    fn load(simd: S, from: &[f32], at: usize) -> Option<Self> {
        Some(V::from_slice(simd, from.get(at..at.wrapping_add(V::LEN))?))
    }

    #[inline(always)]
    unsafe fn load_unchecked(simd: S, from: &[f32], at: usize) -> Self {
        // SAFETY: `at + V::LEN <= from.len()`, as the caller promises.
        V::from_slice(simd, unsafe { from.get_unchecked(at..at + V::LEN) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32], at: usize) {
        if let Some(to) = to.get_mut(at..at.wrapping_add(V::LEN)) {
            self.store_slice(to);
        }
    }

    #[inline(always)]
    unsafe fn store_unchecked(self, to: &mut [f32], at: usize) {
        // SAFETY: `at + V::LEN <= to.len()`, as the caller promises.
        self.store_slice(unsafe { to.get_unchecked_mut(at..at + V::LEN) });
    }

    #[inline(always)]
    fn scatter(self, to: &mut [f32], at: usize, step: usize) {
        let mut at = at;
        for value in self.as_slice() {
            if let Some(to) = to.get_mut(at) {
                *to = *value;
            }
            at += step;
        }
    }

    #[inline(always)]
    fn unzip(self, next: Self) -> [Self; 2] {
        let (even, odd) = self.deinterleave(next);
        [even, odd]
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        SimdFloat::mul_add(self, factor, sum)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        match RELAXED {
            true => self.if_greater(other, self, other),
            false => SimdBase::max(self, other),
        }
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        match RELAXED {
            true => other.if_greater(self, self, other),
            false => SimdBase::min(self, other),
        }
    }

    #[inline(always)]
    fn largest(self, other: Self) -> Self {
        let max = Lanes::max(self, other);
        match KEEPS_NAN {
            true => max,
            // One comparison for both: if `other` is NaN, so is `max`.
            false => self.if_equal(self, max, self),
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        self.reduce_sum()
    }

    #[inline(always)]
    fn clear_below(mut self, lane: usize) -> Self {
        for value in self.as_mut_slice().iter_mut().take(lane) {
            *value = 0.0;
        }
        self
    }

    #[inline(always)]
    fn halves(self) -> [Self; 2] {
        let bits = self.to_bits();
        [V::from_bits(bits << 16), V::from_bits(bits & HIGH)]
    }

    #[inline(always)]
    fn if_greater(self, other: Self, a: Self, b: Self) -> Self {
        self.simd_gt(other).select(a, b)
    }

    #[inline(always)]
    fn if_equal(self, other: Self, a: Self, b: Self) -> Self {
        self.simd_eq(other).select(a, b)
    }
}

/// One scalar, for depths that are smaller than every vector.
#[derive(Clone, Copy)]
pub(crate) struct One(f32);

impl<S: Simd> Lanes<S> for One {
    const LEN: usize = 1;

    #[inline(always)]
    fn splat(_: S, value: f32) -> Self {
        Self(value)
    }

    #[inline(always)]
    fn load(_: S, from: &[f32], at: usize) -> Option<Self> {
        from.get(at).copied().map(Self)
    }

    #[inline(always)]
    unsafe fn load_unchecked(_: S, from: &[f32], at: usize) -> Self {
        // SAFETY: `at + 1 <= from.len()`, as the caller promises.
        Self(*unsafe { from.get_unchecked(at) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32], at: usize) {
        if let Some(to) = to.get_mut(at) {
            *to = self.0;
        }
    }

    #[inline(always)]
    unsafe fn store_unchecked(self, to: &mut [f32], at: usize) {
        // SAFETY: `at + 1 <= to.len()`, as the caller promises.
        *unsafe { to.get_unchecked_mut(at) } = self.0;
    }

    #[inline(always)]
    fn scatter(self, to: &mut [f32], at: usize, _: usize) {
        Lanes::<S>::store(self, to, at);
    }

    #[inline(always)]
    fn unzip(self, next: Self) -> [Self; 2] {
        [self, next]
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, sum: Self) -> Self {
        // Not `f32::mul_add`: without the instruction that is a call into libm.
        Self(self.0 * factor.0 + sum.0)
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(if self.0 > other.0 { self.0 } else { other.0 })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self(if self.0 < other.0 { self.0 } else { other.0 })
    }

    #[inline(always)]
    fn largest(self, other: Self) -> Self {
        let max = Lanes::<S>::max(self, other);
        if self.0.is_nan() { self } else { max }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        self.0
    }

    #[inline(always)]
    fn clear_below(self, lane: usize) -> Self {
        if lane == 0 { self } else { Self(0.0) }
    }

    #[inline(always)]
    fn halves(self) -> [Self; 2] {
        let bits = self.0.to_bits();
        [bits << 16, bits & HIGH].map(|bits| Self(f32::from_bits(bits)))
    }

    #[inline(always)]
    fn if_greater(self, other: Self, a: Self, b: Self) -> Self {
        if self.0 > other.0 { a } else { b }
    }

    #[inline(always)]
    fn if_equal(self, other: Self, a: Self, b: Self) -> Self {
        if self.0 == other.0 { a } else { b }
    }
}

/// Calls a function generic over [`Lanes`] with the widest vector that has at most `$len` lanes, or
/// declines if a lower level has the same vector: each is compiled once. Nor are there tiles of single lanes in
/// WebAssembly, where whoever opens a page waits for every kilobyte of them, and fewer than four filters are rare.
macro_rules! widest {
    ($simd:ident: $S:ident, $len:expr, $function:ident ( $($argument:expr),* $(,)? )) => {{
        use $crate::kernel::simd::lanes::{Lanes, One};
        let (len, native) = ($len, const { <$S::f32s as Lanes<$S>>::LEN });
        if len >= native {
            $function::<$S, $S::f32s>($simd, $($argument),*)
        } else if native == 8 && len >= 4 {
            $function::<$S, fearless_simd::f32x4<$S>>($simd, $($argument),*)
        } else if native == 4 && !cfg!(target_arch = "wasm32") {
            $function::<$S, One>($simd, $($argument),*)
        } else {
            None
        }
    }};
}
pub(crate) use widest;
