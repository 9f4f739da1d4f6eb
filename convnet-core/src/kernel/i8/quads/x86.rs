//! The vectors of x86.

use core::arch::x86_64::*;

use fearless_simd::{Avx2, Avx512, Level, Simd};

use super::Dots;

/// `vpdpbusd` on 512 bits: a level that has AVX-512 has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vnni512(Avx512);

/// `vpdpbusd` on 256 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vnni256(Avx2);

/// `vpmaddubsw`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maddubs(Avx2);

impl Vnni512 {
    pub(super) fn new(level: Level) -> Option<Self> {
        level.as_avx512().map(Self)
    }
}

impl Vnni256 {
    pub(super) fn new(level: Level) -> Option<Self> {
        #[cfg(feature = "std")]
        let is_there = std::arch::is_x86_feature_detected!("avxvnni");
        #[cfg(not(feature = "std"))]
        let is_there = cfg!(target_feature = "avxvnni");
        level.as_avx2().map(Self).filter(|_| is_there)
    }

    /// # Safety
    ///
    /// The machine has AVX2 and AVX-VNNI.
    #[target_feature(enable = "avx2,avxvnni,bmi1,bmi2,fma,lzcnt,popcnt")]
    unsafe fn with<R>(body: impl FnOnce() -> R) -> R {
        body()
    }
}

impl Maddubs {
    pub(super) fn new(level: Level) -> Option<Self> {
        level.as_avx2().map(Self)
    }
}

/// x as 0 to 255: a byte whose highest bit is the other way round is 128 more.
const UNSIGNED: u8 = 0x80;

/// Four of them, for a quad before it is in a vector: turned round behind that, it sends LLVM 22 into an endless loop.
const UNSIGNED_QUAD: i32 = i32::from_ne_bytes([UNSIGNED; 4]);

impl Dots for Vnni512 {
    type Sums = __m512i;
    type X = __m512i;
    type W = __m512i;
    const LANES: usize = 16;
    const TILE: [usize; 2] = [6, 4];
    const FLIP: u8 = UNSIGNED;

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    fn zero(self) -> __m512i {
        // SAFETY: the token says that there is AVX-512.
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8) -> __m512i {
        // SAFETY: there is AVX-512, and 4 bytes, as the caller promises.
        unsafe { _mm512_set1_epi32(quad.cast::<i32>().read_unaligned() ^ UNSIGNED_QUAD) }
    }

    #[inline(always)]
    unsafe fn inputs(self, quads: *const i8) -> __m512i {
        // SAFETY: there is AVX-512, and 64 bytes, as the caller promises.
        unsafe { _mm512_loadu_si512(quads.cast()) }
    }

    #[inline(always)]
    unsafe fn filters(self, quads: *const i8) -> __m512i {
        // SAFETY: there is AVX-512, and 64 bytes, as the caller promises.
        unsafe { _mm512_loadu_si512(quads.cast()) }
    }

    #[inline(always)]
    fn add(self, sums: __m512i, x: __m512i, w: __m512i) -> __m512i {
        // SAFETY: the token says that there is AVX-512 with its VNNI.
        unsafe { _mm512_dpbusd_epi32(sums, x, w) }
    }

    #[inline(always)]
    unsafe fn store(self, sums: __m512i, to: *mut i32) {
        // SAFETY: there is AVX-512, and room for 16 numbers, as the caller promises.
        unsafe { _mm512_storeu_si512(to.cast(), sums) }
    }
}

impl Dots for Vnni256 {
    type Sums = __m256i;
    type X = __m256i;
    type W = __m256i;
    const LANES: usize = 8;
    const TILE: [usize; 2] = [6, 2];
    const FLIP: u8 = UNSIGNED;

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        // SAFETY: there are AVX2 and AVX-VNNI: `new` looked.
        unsafe { Self::with(body) }
    }

    #[inline(always)]
    fn zero(self) -> __m256i {
        Maddubs(self.0).zero()
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8) -> __m256i {
        // SAFETY: there is AVX2, and 4 bytes, as the caller promises.
        unsafe { _mm256_set1_epi32(quad.cast::<i32>().read_unaligned() ^ UNSIGNED_QUAD) }
    }

    #[inline(always)]
    unsafe fn inputs(self, quads: *const i8) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { Maddubs(self.0).filters(quads) }
    }

    #[inline(always)]
    unsafe fn filters(self, quads: *const i8) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { Maddubs(self.0).filters(quads) }
    }

    #[inline(always)]
    fn add(self, sums: __m256i, x: __m256i, w: __m256i) -> __m256i {
        // SAFETY: there is AVX-VNNI: `new` looked.
        unsafe { _mm256_dpbusd_avx_epi32(sums, x, w) }
    }

    #[inline(always)]
    unsafe fn store(self, sums: __m256i, to: *mut i32) {
        // SAFETY: as the caller promises.
        unsafe { Maddubs(self.0).store(sums, to) }
    }
}

impl Dots for Maddubs {
    type Sums = __m256i;
    /// How far each input is from zero, 128 at most, and the input itself.
    type X = [__m256i; 2];
    type W = __m256i;
    const LANES: usize = 8;
    const TILE: [usize; 2] = [4, 2];
    const FLIP: u8 = 0;

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    fn zero(self) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8) -> Self::X {
        // SAFETY: there is AVX2, and 4 bytes, as the caller promises.
        unsafe {
            let x = _mm256_set1_epi32(quad.cast::<i32>().read_unaligned());
            [_mm256_abs_epi8(x), x]
        }
    }

    #[inline(always)]
    unsafe fn inputs(self, quads: *const i8) -> Self::X {
        // SAFETY: there is AVX2, and 32 bytes, as the caller promises.
        unsafe {
            let x = _mm256_loadu_si256(quads.cast());
            [_mm256_abs_epi8(x), x]
        }
    }

    #[inline(always)]
    unsafe fn filters(self, quads: *const i8) -> __m256i {
        // SAFETY: there is AVX2, and 32 bytes, as the caller promises.
        unsafe { _mm256_loadu_si256(quads.cast()) }
    }

    /// Two products of 128·127 at most are less than 2¹⁵.
    #[inline(always)]
    fn add(self, sums: __m256i, [distance, x]: Self::X, w: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe {
            let pairs = _mm256_maddubs_epi16(distance, _mm256_sign_epi8(w, x));
            _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }

    #[inline(always)]
    unsafe fn store(self, sums: __m256i, to: *mut i32) {
        // SAFETY: there is AVX2, and room for 8 numbers, as the caller promises.
        unsafe { _mm256_storeu_si256(to.cast(), sums) }
    }
}
