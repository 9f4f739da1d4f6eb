//! The vectors of x86.
//!
//! No instruction stands in a closure that is not `#[inline(always)]`: it would be a call.

use core::arch::x86_64::*;

use fearless_simd::{Avx2, Avx512, Level, Simd};

use super::{Dots, Ends};
use crate::kernel::i8::Quantization;

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

/// By what sixteen sums become bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct By512 {
    mantissa: __m512i,
    /// Those of the odd sums, as even ones.
    odd: __m512i,
    left: __m512i,
    /// How far to the right, less one; and where that is a shift.
    right: __m512i,
    shifts: __mmask16,
    /// Least and most, less the zero point, and that.
    bounds: [__m512i; 3],
}

/// By what eight sums become bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct By256 {
    mantissa: __m256i,
    odd: __m256i,
    left: __m256i,
    right: __m256i,
    bounds: [__m256i; 3],
}

/// Least and most, less the zero point, and that: clamped before the zero point is added, which overflows nothing then.
#[inline(always)]
fn bounds(y: &Quantization) -> [i32; 3] {
    let [lower, upper, zero] = [y.lower, y.upper, y.zero].map(i32::from);
    [lower - zero, upper - zero, zero]
}

impl Dots for Vnni512 {
    type Sums = __m512i;
    type X = __m512i;
    type W = __m512i;
    type By = By512;
    type Bytes = [i8; 16];
    const LANES: usize = 16;
    // As the pixels' quads are all loaded ahead, there are registers for five and not for six.
    const TILE: [usize; 2] = [5, 4];
    const FLIP: u8 = UNSIGNED;

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    unsafe fn start(self, numbers: *const i32) -> __m512i {
        // SAFETY: there is AVX-512, and 16 numbers, as the caller promises.
        unsafe { _mm512_loadu_si512(numbers.cast()) }
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
    fn by(self, ends: &Ends, _: usize, y: &Quantization) -> By512 {
        // SAFETY: the token says that there is AVX-512, and of each there are 16 numbers.
        unsafe {
            let mantissa = _mm512_loadu_si512(ends.mantissa.as_ptr().cast());
            let right = _mm512_loadu_si512(ends.right.as_ptr().cast());
            let [least, most, zero] = bounds(y);
            By512 {
                mantissa,
                odd: _mm512_srli_epi64(mantissa, 32),
                left: _mm512_loadu_si512(ends.left.as_ptr().cast()),
                right: _mm512_sub_epi32(right, _mm512_set1_epi32(1)),
                shifts: _mm512_test_epi32_mask(right, right),
                bounds: [
                    _mm512_set1_epi32(least),
                    _mm512_set1_epi32(most),
                    _mm512_set1_epi32(zero),
                ],
            }
        }
    }

    #[inline(always)]
    unsafe fn widened(self, bytes: *const i8) -> __m512i {
        // SAFETY: there is AVX-512, and 16 bytes, as the caller promises.
        unsafe { _mm512_cvtepi8_epi32(_mm_loadu_si128(bytes.cast())) }
    }

    #[inline(always)]
    fn plus(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the token says that there is AVX-512.
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    fn times(self, sums: __m512i, by: &By512) -> __m512i {
        // SAFETY: the token says that there is AVX-512.
        unsafe {
            let half = _mm512_set1_epi64(1 << 30);
            let v = _mm512_sllv_epi32(sums, by.left);
            let even = _mm512_add_epi64(_mm512_mul_epi32(v, by.mantissa), half);
            let odd = _mm512_mul_epi32(_mm512_srli_epi64(v, 32), by.odd);
            let odd = _mm512_add_epi64(odd, half);
            let [even, odd] = [_mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1)];
            let high = _mm512_mask_mov_epi32(even, 0xaaaa, odd);
            // One less where it is negative: then a half goes down.
            let turned = _mm512_add_epi32(high, _mm512_srai_epi32(high, 31));
            let twice = _mm512_srav_epi32(turned, by.right);
            let up = _mm512_srai_epi32(twice, 1);
            _mm512_mask_sub_epi32(high, by.shifts, twice, up)
        }
    }

    #[inline(always)]
    fn bytes(self, sums: __m512i, by: &By512) -> [i8; 16] {
        let mut bytes = [0; 16];
        let value = self.times(sums, by);
        // SAFETY: the token says that there is AVX-512, and there is room for 16 bytes.
        unsafe {
            let [least, most, zero] = by.bounds;
            let value = _mm512_min_epi32(_mm512_max_epi32(value, least), most);
            let value = _mm512_cvtepi32_epi8(_mm512_add_epi32(value, zero));
            _mm_storeu_si128(bytes.as_mut_ptr().cast(), value);
        }
        bytes
    }
}

impl Dots for Vnni256 {
    type Sums = __m256i;
    type X = __m256i;
    type W = __m256i;
    type By = By256;
    type Bytes = [i8; 8];
    const LANES: usize = 8;
    const TILE: [usize; 2] = [6, 2];
    const FLIP: u8 = UNSIGNED;

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        // SAFETY: there are AVX2 and AVX-VNNI: `new` looked.
        unsafe { Self::with(body) }
    }

    #[inline(always)]
    unsafe fn start(self, numbers: *const i32) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { Maddubs(self.0).start(numbers) }
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
    unsafe fn widened(self, bytes: *const i8) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { Maddubs(self.0).widened(bytes) }
    }

    #[inline(always)]
    fn plus(self, a: __m256i, b: __m256i) -> __m256i {
        Maddubs(self.0).plus(a, b)
    }

    #[inline(always)]
    fn by(self, ends: &Ends, first: usize, y: &Quantization) -> By256 {
        Maddubs(self.0).by(ends, first, y)
    }

    #[inline(always)]
    fn times(self, sums: __m256i, by: &By256) -> __m256i {
        Maddubs(self.0).times(sums, by)
    }

    #[inline(always)]
    fn bytes(self, sums: __m256i, by: &By256) -> [i8; 8] {
        Maddubs(self.0).bytes(sums, by)
    }
}

impl Dots for Maddubs {
    type Sums = __m256i;
    /// How far each input is from zero, 128 at most, and the input itself.
    type X = [__m256i; 2];
    type W = __m256i;
    type By = By256;
    type Bytes = [i8; 8];
    const LANES: usize = 8;
    const TILE: [usize; 2] = [4, 2];
    const FLIP: u8 = 0;

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    unsafe fn start(self, numbers: *const i32) -> __m256i {
        // SAFETY: there is AVX2, and 8 numbers, as the caller promises.
        unsafe { _mm256_loadu_si256(numbers.cast()) }
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
    fn by(self, ends: &Ends, first: usize, y: &Quantization) -> By256 {
        // SAFETY: the token says that there is AVX2, and of each there are 16 numbers, of which 8 from 0 or 8 on.
        unsafe {
            let first = first & 8;
            let mantissa = _mm256_loadu_si256(ends.mantissa.as_ptr().add(first).cast());
            let [least, most, zero] = bounds(y);
            By256 {
                mantissa,
                odd: _mm256_srli_epi64(mantissa, 32),
                left: _mm256_loadu_si256(ends.left.as_ptr().add(first).cast()),
                right: _mm256_loadu_si256(ends.right.as_ptr().add(first).cast()),
                bounds: [
                    _mm256_set1_epi32(least),
                    _mm256_set1_epi32(most),
                    _mm256_set1_epi32(zero),
                ],
            }
        }
    }

    #[inline(always)]
    unsafe fn widened(self, bytes: *const i8) -> __m256i {
        // SAFETY: there is AVX2, and 8 bytes, as the caller promises.
        unsafe { _mm256_cvtepi8_epi32(_mm_loadl_epi64(bytes.cast())) }
    }

    #[inline(always)]
    fn plus(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_add_epi32(a, b) }
    }

    /// As on 512 bits.
    #[inline(always)]
    fn times(self, sums: __m256i, by: &By256) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe {
            let half = _mm256_set1_epi64x(1 << 30);
            let v = _mm256_sllv_epi32(sums, by.left);
            let even = _mm256_add_epi64(_mm256_mul_epi32(v, by.mantissa), half);
            let odd = _mm256_mul_epi32(_mm256_srli_epi64(v, 32), by.odd);
            let odd = _mm256_add_epi64(odd, half);
            let [even, odd] = [_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1)];
            let high = _mm256_blend_epi32(even, odd, 0xaa);
            let turned = _mm256_add_epi32(high, _mm256_srai_epi32(high, 31));
            let right = _mm256_sub_epi32(by.right, _mm256_set1_epi32(1));
            let twice = _mm256_srav_epi32(turned, right);
            let value = _mm256_sub_epi32(twice, _mm256_srai_epi32(twice, 1));
            // Where there is no shift, one less is negative.
            _mm256_blendv_epi8(value, high, _mm256_srai_epi32(right, 31))
        }
    }

    #[inline(always)]
    fn bytes(self, sums: __m256i, by: &By256) -> [i8; 8] {
        let value = self.times(sums, by);
        // SAFETY: the token says that there is AVX2.
        let bytes = unsafe {
            let [least, most, zero] = by.bounds;
            let value = _mm256_min_epi32(_mm256_max_epi32(value, least), most);
            let value = _mm256_add_epi32(value, zero);
            let [low, high] = [
                _mm256_castsi256_si128(value),
                _mm256_extracti128_si256(value, 1),
            ];
            let words = _mm_packs_epi32(low, high);
            _mm_cvtsi128_si64(_mm_packs_epi16(words, words))
        };
        bytes.to_le_bytes().map(u8::cast_signed)
    }
}
