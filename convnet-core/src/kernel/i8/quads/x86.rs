//! The vectors of x86.
//!
//! No instruction stands in a closure that is not `#[inline(always)]`: it would be a call.

mod words;

use core::arch::x86_64::*;
use core::array;

use fearless_simd::{Avx2, Avx512, Level, Simd};

use super::{Dots, Ends};
use crate::kernel::i8::{Quantization, Table};

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

/// Four of them, for a quad before it is in a vector.
const UNSIGNED_QUAD: i32 = i32::from_ne_bytes([UNSIGNED; 4]);

/// A vector of them. It is read as a volatile: turned by a constant that LLVM 22 knows, behind where it comes into a
/// vector, a quad sends it into an endless loop.
#[repr(align(64))]
struct Unsigned([u8; 64]);
static FLIP: Unsigned = Unsigned([UNSIGNED; 64]);

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
    /// Of what is not negative, and of what is.
    type Table = [[__m512i; 2]; 2];
    const LOOKED_UP: usize = 64;
    const LANES: usize = 16;
    const TILE: [usize; 2] = [6, 4];
    const FLIP: u8 = UNSIGNED;
    type Flip = __m512i;

    #[inline(always)]
    fn flip(self) -> __m512i {
        // SAFETY: there are 64 bytes, aligned.
        unsafe { (&raw const FLIP.0).cast::<__m512i>().read_volatile() }
    }

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
    unsafe fn splat(self, quad: *const i8, flip: __m512i) -> __m512i {
        // SAFETY: there is AVX-512, and 4 bytes, as the caller promises.
        unsafe { _mm512_xor_si512(_mm512_set1_epi32(quad.cast::<i32>().read_unaligned()), flip) }
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

    #[inline(always)]
    fn product(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the token says that there is AVX-512.
        unsafe { _mm512_mullo_epi32(a, b) }
    }

    #[inline(always)]
    fn left<const BY: i32>(self, sums: __m512i) -> __m512i {
        // SAFETY: the token says that there is AVX-512.
        unsafe { _mm512_sll_epi32(sums, _mm_cvtsi32_si128(BY)) }
    }

    #[inline(always)]
    fn larger(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the token says that there is AVX-512.
        unsafe { _mm512_max_epi32(a, b) }
    }

    /// One shift of 64 bits for both roundings, as the second rounds an integer down: less one, where it is negative.
    #[inline(always)]
    unsafe fn narrowed(self, sums: __m512i, ends: &Ends, _: usize) -> __m512i {
        // SAFETY: the token says that there is AVX-512, and of each there are 16 numbers.
        unsafe {
            let one = _mm512_set1_epi64(1 << 31);
            let mantissa = _mm512_loadu_si512(ends.mantissa.as_ptr().cast());
            let by = [mantissa, _mm512_srli_epi64(mantissa, 32)];
            let v = [sums, _mm512_srli_epi64(sums, 32)];
            let [even, odd] = array::from_fn(
                #[inline(always)]
                |of| {
                    let product = _mm512_mul_epi32(v[of], by[of]);
                    let half = _mm512_loadu_si512(ends.wide[of].as_ptr().cast());
                    let sum = _mm512_add_epi64(product, half);
                    _mm512_mask_sub_epi64(sum, _mm512_movepi64_mask(product), sum, one)
                },
            );
            let high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
            let right = _mm512_loadu_si512(ends.right.as_ptr().cast());
            _mm512_srav_epi32(high, _mm512_sub_epi32(right, _mm512_set1_epi32(1)))
        }
    }

    #[inline(always)]
    unsafe fn write<const N: usize>(self, sums: [__m512i; N], [least, most]: [i8; 2], to: *mut i8) {
        // SAFETY: the token says that there is AVX-512, and there is room, as the caller promises.
        unsafe {
            if let [a, b, c, d] = sums[..] {
                // Four of each, then the next four.
                let fours = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
                let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
                let bytes = _mm512_permutexvar_epi32(order, fours);
                let bytes = _mm512_max_epi8(bytes, _mm512_set1_epi8(least));
                let bytes = _mm512_min_epi8(bytes, _mm512_set1_epi8(most));
                return _mm512_storeu_si512(to.cast(), bytes);
            }
            for (n, sums) in sums.into_iter().enumerate() {
                let bytes = _mm_max_epi8(_mm512_cvtsepi32_epi8(sums), _mm_set1_epi8(least));
                let bytes = _mm_min_epi8(bytes, _mm_set1_epi8(most));
                _mm_storeu_si128(to.add(n * Self::LANES).cast(), bytes);
            }
        }
    }

    #[inline(always)]
    fn table(self, bytes: &Table) -> Self::Table {
        let at = bytes.as_ptr();
        // SAFETY: the token says that there is AVX-512, and there are four times 64 bytes.
        unsafe {
            [
                [
                    _mm512_loadu_si512(at.cast()),
                    _mm512_loadu_si512(at.add(64).cast()),
                ],
                [
                    _mm512_loadu_si512(at.add(128).cast()),
                    _mm512_loadu_si512(at.add(192).cast()),
                ],
            ]
        }
    }

    #[inline(always)]
    unsafe fn look_up(self, [low, high]: &Self::Table, x: *const i8, y: *mut i8) {
        // SAFETY: the token says that there is AVX-512, and there are bytes and room, as the caller promises.
        unsafe {
            let x = _mm512_loadu_si512(x.cast());
            let low = _mm512_permutex2var_epi8(low[0], x, low[1]);
            let high = _mm512_permutex2var_epi8(high[0], x, high[1]);
            let bytes = _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(x), high);
            _mm512_storeu_si512(y.cast(), bytes);
        }
    }

    #[inline(always)]
    unsafe fn side_by_side(self, rows: [*const i8; 4], to: *mut i8) {
        // Of each row the first byte, then of each the second.
        const ORDER: [u8; 64] = {
            let (mut order, mut at) = ([0; 64], 0);
            while at < 64 {
                order[at] = (at % 4 * 16 + at / 4) as u8;
                at += 1;
            }
            order
        };
        // SAFETY: the token says that there is AVX-512, and there are bytes and room, as the caller promises.
        unsafe {
            let [a, b, c, d] = rows.map(
                #[inline(always)]
                |row| _mm_loadu_si128(row.cast()),
            );
            let low = _mm256_set_m128i(b, a);
            let all = _mm512_inserti64x4(_mm512_castsi256_si512(low), _mm256_set_m128i(d, c), 1);
            let all = _mm512_permutexvar_epi8(_mm512_loadu_si512(ORDER.as_ptr().cast()), all);
            let all = _mm512_xor_si512(all, _mm512_set1_epi8(UNSIGNED.cast_signed()));
            _mm512_storeu_si512(to.cast(), all);
        }
    }
}

/// Sums of eight filters, and how they become bytes, for whoever has an `Avx2` and multiplies in another way.
macro_rules! sums_of_256_bits {
    () => {
        type Sums = __m256i;
        type By = By256;
        type Bytes = [i8; 8];
        type Table = [[__m256i; 8]; 2];
        const LANES: usize = 8;
        const LOOKED_UP: usize = 32;

        #[inline(always)]
        unsafe fn start(self, numbers: *const i32) -> __m256i {
            // SAFETY: as the caller promises.
            unsafe { Maddubs(self.0).start(numbers) }
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

        #[inline(always)]
        fn product(self, a: __m256i, b: __m256i) -> __m256i {
            Maddubs(self.0).product(a, b)
        }

        #[inline(always)]
        fn left<const BY: i32>(self, sums: __m256i) -> __m256i {
            Maddubs(self.0).left::<BY>(sums)
        }

        #[inline(always)]
        fn larger(self, a: __m256i, b: __m256i) -> __m256i {
            Maddubs(self.0).larger(a, b)
        }

        #[inline(always)]
        unsafe fn narrowed(self, sums: __m256i, ends: &Ends, first: usize) -> __m256i {
            // SAFETY: as the caller promises.
            unsafe { Maddubs(self.0).narrowed(sums, ends, first) }
        }

        #[inline(always)]
        fn table(self, bytes: &Table) -> Self::Table {
            Maddubs(self.0).table(bytes)
        }

        #[inline(always)]
        unsafe fn look_up(self, table: &Self::Table, x: *const i8, y: *mut i8) {
            // SAFETY: as the caller promises.
            unsafe { Maddubs(self.0).look_up(table, x, y) }
        }

        #[inline(always)]
        unsafe fn write<const N: usize>(self, sums: [__m256i; N], bounds: [i8; 2], to: *mut i8) {
            // SAFETY: as the caller promises.
            unsafe { Maddubs(self.0).write(sums, bounds, to) }
        }
    };
}
use sums_of_256_bits;

impl Dots for Vnni256 {
    sums_of_256_bits!();

    type X = __m256i;
    type W = __m256i;
    const TILE: [usize; 2] = [6, 2];
    const FLIP: u8 = UNSIGNED;
    // Of sixteen registers none is left for it.
    type Flip = ();

    #[inline(always)]
    fn flip(self) {}

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        // SAFETY: there are AVX2 and AVX-VNNI: `new` looked.
        unsafe { Self::with(body) }
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8, (): ()) -> __m256i {
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
    unsafe fn side_by_side(self, rows: [*const i8; 4], to: *mut i8) {
        // SAFETY: as the caller promises.
        unsafe { side_by_side(rows, UNSIGNED, to) }
    }
}

impl Dots for Maddubs {
    type Sums = __m256i;
    /// How far each input is from zero, 128 at most, and the input itself.
    type X = [__m256i; 2];
    type W = __m256i;
    type By = By256;
    type Bytes = [i8; 8];
    /// Of what is not negative, and of what is: of each sixteen bytes, how they differ from those before.
    type Table = [[__m256i; 8]; 2];
    const LANES: usize = 8;
    const LOOKED_UP: usize = 32;
    const TILE: [usize; 2] = [4, 2];
    const FLIP: u8 = 0;
    type Flip = ();

    #[inline(always)]
    fn flip(self) {}

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
    unsafe fn splat(self, quad: *const i8, (): ()) -> Self::X {
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

    #[inline(always)]
    fn product(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_mullo_epi32(a, b) }
    }

    #[inline(always)]
    fn left<const BY: i32>(self, sums: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_slli_epi32(sums, BY) }
    }

    #[inline(always)]
    fn larger(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_max_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn narrowed(self, sums: __m256i, ends: &Ends, first: usize) -> __m256i {
        // SAFETY: the token says that there is AVX2, and of each there are 8 numbers from `first` on, as the caller
        // promises.
        unsafe {
            let [mantissa, odd] = [&ends.mantissa, &ends.odd].map(
                #[inline(always)]
                |numbers| _mm256_loadu_si256(numbers.as_ptr().add(first).cast()),
            );
            let [more_even, more_odd] = ends.wide.each_ref().map(
                #[inline(always)]
                |more| _mm256_loadu_si256(more.as_ptr().add(first / 2).cast()),
            );
            let even = _mm256_add_epi64(_mm256_mul_epi32(sums, mantissa), more_even);
            let odd = _mm256_mul_epi32(_mm256_srli_epi64(sums, 32), odd);
            let odd = _mm256_add_epi64(odd, more_odd);
            let [even, odd] = [_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1)];
            // One less where it is negative: then a half goes down.
            let turned = _mm256_add_epi32(
                _mm256_blend_epi32(even, odd, 0xaa),
                _mm256_srai_epi32(sums, 31),
            );
            let right = _mm256_loadu_si256(ends.right.as_ptr().add(first).cast());
            _mm256_srav_epi32(turned, right)
        }
    }

    #[inline(always)]
    unsafe fn write<const N: usize>(self, sums: [__m256i; N], [least, most]: [i8; 2], to: *mut i8) {
        // SAFETY: the token says that there is AVX2, and there is room, as the caller promises.
        unsafe {
            let [least, most] = [_mm_set1_epi8(least), _mm_set1_epi8(most)];
            let (pairs, rest) = sums.as_chunks::<2>();
            for (n, &[a, b]) in pairs.iter().enumerate() {
                // Four of each, then the next four.
                let words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0b11_01_10_00);
                let high = _mm256_extracti128_si256(words, 1);
                let bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), high);
                let bytes = _mm_min_epi8(_mm_max_epi8(bytes, least), most);
                _mm_storeu_si128(to.add(n * 2 * Self::LANES).cast(), bytes);
            }
            if let &[a] = rest {
                let words =
                    _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
                let bytes = _mm_packs_epi16(words, words);
                let bytes = _mm_min_epi8(_mm_max_epi8(bytes, least), most);
                _mm_storel_epi64(to.add(pairs.len() * 2 * Self::LANES).cast(), bytes);
            }
        }
    }

    #[inline(always)]
    fn table(self, bytes: &Table) -> Self::Table {
        let halves = bytes.as_chunks::<128>().0;
        // SAFETY: the token says that there is AVX2.
        let mut table = [[unsafe { _mm256_setzero_si256() }; 8]; 2];
        for (table, half) in table.iter_mut().zip(halves) {
            let mut before = [0; 16];
            for (differences, own) in table.iter_mut().zip(half.as_chunks::<16>().0) {
                for (before, own) in before.iter_mut().zip(own) {
                    *before ^= own;
                }
                // SAFETY: the token says that there is AVX2, and there are sixteen bytes.
                *differences =
                    unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(before.as_ptr().cast())) };
                before = *own;
            }
        }
        table
    }

    /// A shuffle knows the lower four bits, and writes 0 where the byte is negative: which it is as soon as sixteen
    /// were subtracted too often. So the differences up to its own sixteen add up to what the table says.
    #[inline(always)]
    unsafe fn look_up(self, table: &Self::Table, x: *const i8, y: *mut i8) {
        // SAFETY: the token says that there is AVX2, and there are bytes and room, as the caller promises.
        unsafe {
            let x = _mm256_loadu_si256(x.cast());
            let mut bytes = _mm256_setzero_si256();
            for (half, table) in table.iter().enumerate() {
                let turn = [0, i8::MIN][half];
                let mut x = _mm256_xor_si256(x, _mm256_set1_epi8(turn));
                for differences in table {
                    bytes = _mm256_xor_si256(bytes, _mm256_shuffle_epi8(*differences, x));
                    x = _mm256_subs_epi8(x, _mm256_set1_epi8(16));
                }
            }
            _mm256_storeu_si256(y.cast(), bytes);
        }
    }

    #[inline(always)]
    unsafe fn side_by_side(self, rows: [*const i8; 4], to: *mut i8) {
        // SAFETY: there is SSE2, and as the caller promises.
        unsafe { side_by_side(rows, 0, to) }
    }
}

/// Four rows of sixteen bytes side by side, some bits turned.
///
/// # Safety
///
/// There are the bytes, and there is room for 64.
#[inline(always)]
unsafe fn side_by_side(rows: [*const i8; 4], flip: u8, to: *mut i8) {
    // SAFETY: there is SSE2 on every x86-64, and bytes and room, as the caller promises.
    unsafe {
        let flip = _mm_set1_epi8(flip.cast_signed());
        let [a, b, c, d] = rows.map(
            #[inline(always)]
            |row| _mm_xor_si128(_mm_loadu_si128(row.cast()), flip),
        );
        let halves = [
            [_mm_unpacklo_epi8(a, b), _mm_unpacklo_epi8(c, d)],
            [_mm_unpackhi_epi8(a, b), _mm_unpackhi_epi8(c, d)],
        ];
        for (at, [ab, cd]) in halves.into_iter().enumerate() {
            let to = to.add(at * 32).cast::<__m128i>();
            _mm_storeu_si128(to, _mm_unpacklo_epi16(ab, cd));
            _mm_storeu_si128(to.add(1), _mm_unpackhi_epi16(ab, cd));
        }
    }
}
