//! The vectors of WebAssembly.

use core::arch::wasm32::*;
use core::array;

use fearless_simd::{Level, Simd, WasmSimd128};

use super::{Dots, Ends};
use crate::kernel::i8::Quantization;
use crate::kernel::i8::table::{Table, found};

/// `i32x4.dot_i16x8_s`: inputs and filters are widened, those at even places and those at odd ones.
///
/// The dot of relaxed SIMD takes seven bits of one factor: an input of eight would take two of them, each three
/// instructions on an x86 without AVX-VNNI, which is about as many as this takes. It was not measured where there is one.
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
    /// Of each filter the mantissa, and how far to the left and to the right; zero point and bounds.
    type By = ([(i32, u32, u32); 4], Quantization);
    type Bytes = [i8; 4];
    /// Sixteen swizzles of sixteen bytes would take as long.
    type Table = Table;
    const LOOKED_UP: usize = 1;
    const LANES: usize = 4;
    const TILE: [usize; 2] = [2, 4];
    const FLIP: u8 = 0;
    type Flip = ();

    #[inline(always)]
    fn flip(self) {}

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    unsafe fn start(self, numbers: *const i32) -> v128 {
        // SAFETY: there are 4 numbers, as the caller promises.
        unsafe { v128_load(numbers.cast()) }
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8, (): ()) -> Self::X {
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
    unsafe fn widened(self, bytes: *const i8) -> v128 {
        // SAFETY: there are 4 bytes, as the caller promises.
        let [a, b, c, d] = unsafe { *bytes.cast::<[i8; 4]>() }.map(i32::from);
        i32x4(a, b, c, d)
    }

    #[inline(always)]
    fn plus(self, a: v128, b: v128) -> v128 {
        i32x4_add(a, b)
    }

    #[inline(always)]
    fn by(self, ends: &Ends, first: usize, y: &Quantization) -> Self::By {
        let of = |at: usize| (ends.mantissa[at], ends.left[at], ends.right[at] & 31);
        (array::from_fn(|lane| of(first + lane)), *y)
    }

    #[inline(always)]
    fn times(self, sums: v128, (by, _): &Self::By) -> v128 {
        let mut numbers = [0i32; 4];
        // SAFETY: there is room for 4 numbers.
        unsafe { v128_store(numbers.as_mut_ptr().cast(), sums) }
        let [a, b, c, d] = array::from_fn(|lane| {
            let (mantissa, left, right) = by[lane];
            // A mantissa is not negative, so the product is in range.
            let product = i64::from(numbers[lane].wrapping_shl(left)) * i64::from(mantissa);
            let high = ((product + (1 << 30)) >> 31) as i32;
            let mask = ((1u32 << right) - 1).cast_signed();
            let threshold = (mask >> 1) + (high >> 31 & 1);
            (high >> right) + i32::from(high & mask > threshold)
        });
        i32x4(a, b, c, d)
    }

    #[inline(always)]
    fn bytes(self, sums: v128, by: &Self::By) -> [i8; 4] {
        let [lower, upper, zero] = [by.1.lower, by.1.upper, by.1.zero].map(i32::from);
        // Clamped before the zero point is added, which overflows nothing then.
        let value = i32x4_max(self.times(sums, by), i32x4_splat(lower - zero));
        let value = i32x4_min(value, i32x4_splat(upper - zero));
        let value = i32x4_add(value, i32x4_splat(zero));
        let words = i16x8_narrow_i32x4(value, value);
        let bytes = i32x4_extract_lane::<0>(i8x16_narrow_i16x8(words, words));
        bytes.to_le_bytes().map(u8::cast_signed)
    }

    #[inline(always)]
    fn product(self, a: v128, b: v128) -> v128 {
        i32x4_mul(a, b)
    }

    #[inline(always)]
    fn left<const BY: i32>(self, sums: v128) -> v128 {
        i32x4_shl(sums, BY.unsigned_abs())
    }

    #[inline(always)]
    fn larger(self, a: v128, b: v128) -> v128 {
        i32x4_max(a, b)
    }

    #[inline(always)]
    unsafe fn narrowed(self, sums: v128, ends: &Ends, first: usize) -> v128 {
        // SAFETY: of each there are 4 numbers from `first` on, as the caller promises.
        let [mantissa, more] = [&ends.mantissa, &ends.half]
            .map(|of| unsafe { v128_load(of.as_ptr().add(first).cast()) });
        let half = i64x2_splat(1 << 30);
        let low = i64x2_add(i64x2_extmul_low_i32x4(sums, mantissa), half);
        let high = i64x2_add(i64x2_extmul_high_i32x4(sums, mantissa), half);
        let [low, high] = [low, high].map(|product| u64x2_shr(product, 31));
        let high = i32x4_shuffle::<0, 2, 4, 6>(low, high);
        // One less where it is negative: then a half goes down.
        let turned = i32x4_add(i32x4_add(high, more), i32x4_shr(high, 31));
        let right = &ends.right[first..first + 4];
        i32x4(
            i32x4_extract_lane::<0>(turned) >> right[0],
            i32x4_extract_lane::<1>(turned) >> right[1],
            i32x4_extract_lane::<2>(turned) >> right[2],
            i32x4_extract_lane::<3>(turned) >> right[3],
        )
    }

    #[inline(always)]
    unsafe fn write<const N: usize>(self, sums: [v128; N], [least, most]: [i8; 2], to: *mut i8) {
        for (n, sums) in sums.into_iter().enumerate() {
            let words = i16x8_narrow_i32x4(sums, sums);
            let bytes = i8x16_narrow_i16x8(words, words);
            let bytes = i8x16_max(bytes, i8x16_splat(least));
            let bytes = i8x16_min(bytes, i8x16_splat(most));
            // SAFETY: there is room, as the caller promises.
            unsafe { v128_store32_lane::<0>(bytes, to.add(n * Self::LANES).cast()) };
        }
    }

    #[inline(always)]
    fn table(self, bytes: &Table) -> Table {
        *bytes
    }

    #[inline(always)]
    unsafe fn look_up(self, table: &Table, x: *const i8, y: *mut i8) {
        // SAFETY: there is a byte, and room for one, as the caller promises.
        unsafe { y.write(found(table, x.read())) }
    }

    #[inline(always)]
    unsafe fn side_by_side(self, rows: [*const i8; 4], to: *mut i8) {
        // SAFETY: there are the bytes, as the caller promises.
        let [a, b, c, d] = rows.map(|row| unsafe { v128_load(row.cast()) });
        let low =
            |a, b| i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(a, b);
        let high = |a, b| {
            i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(a, b)
        };
        let halves = [[low(a, b), low(c, d)], [high(a, b), high(c, d)]];
        for (at, [ab, cd]) in halves.into_iter().enumerate() {
            // SAFETY: there is room, as the caller promises.
            unsafe {
                let to = to.add(at * 32).cast::<v128>();
                v128_store(to, i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(ab, cd));
                v128_store(
                    to.add(1),
                    i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(ab, cd),
                );
            }
        }
    }
}
