//! Pairs of 16 bits, for machines that have no better instructions for bytes.

use core::arch::x86_64::*;

use fearless_simd::{Avx2, Simd};

use super::{By256, Maddubs, sums_of_256_bits};
use crate::kernel::i8::quads::{Dots, Ends, Pairs};
use crate::kernel::i8::{Quantization, Table};

/// `vpmaddwd`: half of what `vpmaddubsw` multiplies, in half of its instructions, and without what a distance from zero
/// takes for each input.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Words(Avx2);

impl Maddubs {
    /// The same instructions, for words.
    pub(in super::super) fn words(self) -> Words {
        Words(self.0)
    }
}

impl Dots for Words {
    sums_of_256_bits!();

    type X = __m256i;
    type W = __m256i;
    const TILE: [usize; 2] = [6, 2];
    const INPUTS: usize = 2;
    const FLIP: u8 = 0;
    type Flip = ();

    #[inline(always)]
    fn flip(self) {}

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8, (): ()) -> __m256i {
        // SAFETY: there is AVX2, and 4 bytes, as the caller promises.
        unsafe { _mm256_set1_epi32(quad.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn inputs(self, quads: *const i8) -> __m256i {
        // SAFETY: as the caller promises.
        unsafe { self.filters(quads) }
    }

    #[inline(always)]
    unsafe fn filters(self, quads: *const i8) -> __m256i {
        // SAFETY: there is AVX2, and 32 bytes, as the caller promises.
        unsafe { _mm256_loadu_si256(quads.cast()) }
    }

    /// No pair of products is 2³¹, as none of the numbers is −2¹⁵.
    #[inline(always)]
    fn add(self, sums: __m256i, x: __m256i, w: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(x, w)) }
    }

    #[inline(always)]
    unsafe fn side_by_side(self, [a, b, ..]: [*const i8; 4], to: *mut i8) {
        // SAFETY: there is AVX2, and there are bytes and room, as the caller promises.
        unsafe {
            let [a, b] = [_mm_loadu_si128(a.cast()), _mm_loadu_si128(b.cast())];
            let halves = [_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b)];
            for (at, bytes) in halves.into_iter().enumerate() {
                self.put_words(_mm256_cvtepi8_epi16(bytes), to.add(at * 32));
            }
        }
    }
}

impl Pairs for Words {
    #[inline(always)]
    unsafe fn words(self, bytes: *const i8) -> __m256i {
        // SAFETY: there is AVX2, and 16 bytes, as the caller promises.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.cast())) }
    }

    #[inline(always)]
    unsafe fn put_words(self, words: __m256i, to: *mut i8) {
        // SAFETY: there is AVX2, and room for 16 words, as the caller promises.
        unsafe { _mm256_storeu_si256(to.cast(), words) }
    }

    #[inline(always)]
    fn words_plus(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_add_epi16(a, b) }
    }

    #[inline(always)]
    fn words_minus(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_sub_epi16(a, b) }
    }

    #[inline(always)]
    fn words_left<const BY: i32>(self, words: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_slli_epi16(words, BY) }
    }

    #[inline(always)]
    unsafe fn put_sums(self, sums: __m256i, to: *mut i32) {
        // SAFETY: there is AVX2, and room for 8 numbers, as the caller promises.
        unsafe { _mm256_storeu_si256(to.cast(), sums) }
    }

    #[inline(always)]
    fn minus(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_sub_epi32(a, b) }
    }

    #[inline(always)]
    fn right<const BY: i32>(self, sums: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_srai_epi32(sums, BY) }
    }

    #[inline(always)]
    fn by_number(self, sums: __m256i, number: i32) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_mullo_epi32(sums, _mm256_set1_epi32(number)) }
    }
}
