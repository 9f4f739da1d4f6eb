//! Pairs of 16 bits, for machines that have no better instructions for bytes.

use core::arch::x86_64::*;

use super::Maddubs;
use crate::kernel::i8::quads::Pairs;

impl Pairs for Maddubs {
    type Words = __m256i;

    #[inline(always)]
    unsafe fn words(self, bytes: *const i8) -> __m256i {
        // SAFETY: there is AVX2, and 16 bytes, as the caller promises.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(bytes.cast())) }
    }

    #[inline(always)]
    unsafe fn put_words(self, words: __m256i, to: *mut i16) {
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
    unsafe fn pair(self, pair: *const i16) -> __m256i {
        // SAFETY: there is AVX2, and 2 words, as the caller promises.
        unsafe { _mm256_set1_epi32(pair.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn pairs(self, pairs: *const i8) -> __m256i {
        // SAFETY: there is AVX2, and 32 bytes, as the caller promises.
        unsafe { _mm256_loadu_si256(pairs.cast()) }
    }

    #[inline(always)]
    fn add_pairs(self, sums: __m256i, x: __m256i, w: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(x, w)) }
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
    fn left<const BY: i32>(self, sums: __m256i) -> __m256i {
        // SAFETY: the token says that there is AVX2.
        unsafe { _mm256_slli_epi32(sums, BY) }
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
