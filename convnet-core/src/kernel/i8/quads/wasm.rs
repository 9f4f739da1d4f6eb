//! The vectors of WebAssembly.

use core::arch::wasm32::*;

use fearless_simd::{Level, Simd, WasmSimd128};

use super::Dots;

/// `i32x4.dot_i16x8_s`: inputs and filters are widened, those at even places and those at odd ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Simd128(WasmSimd128);

impl Simd128 {
    pub(super) fn new(level: Level) -> Option<Self> {
        level.as_wasm_simd128().map(Self)
    }

    /// Of each two bytes the first, and the second, as 16 bits.
    #[inline(always)]
    fn widened(bytes: v128) -> [v128; 2] {
        [i16x8_shr(i16x8_shl(bytes, 8), 8), i16x8_shr(bytes, 8)]
    }
}

impl Dots for Simd128 {
    type Sums = v128;
    type X = [v128; 2];
    type W = [v128; 2];
    const LANES: usize = 4;
    const TILE: [usize; 2] = [2, 4];
    const FLIP: u8 = 0;

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    fn zero(self) -> v128 {
        i32x4_splat(0)
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8) -> Self::X {
        // SAFETY: there are 4 bytes, as the caller promises.
        Self::widened(unsafe { v128_load32_splat(quad.cast()) })
    }

    #[inline(always)]
    unsafe fn inputs(self, quads: *const i8) -> Self::X {
        // SAFETY: there are 16 bytes, as the caller promises.
        Self::widened(unsafe { v128_load(quads.cast()) })
    }

    #[inline(always)]
    unsafe fn filters(self, quads: *const i8) -> Self::W {
        // SAFETY: there are 16 bytes, as the caller promises.
        Self::widened(unsafe { v128_load(quads.cast()) })
    }

    #[inline(always)]
    fn add(self, sums: v128, x: Self::X, w: Self::W) -> v128 {
        let sums = i32x4_add(sums, i32x4_dot_i16x8(x[0], w[0]));
        i32x4_add(sums, i32x4_dot_i16x8(x[1], w[1]))
    }

    #[inline(always)]
    unsafe fn store(self, sums: v128, to: *mut i32) {
        // SAFETY: there is room for 4 numbers, as the caller promises.
        unsafe { v128_store(to.cast(), sums) }
    }
}
