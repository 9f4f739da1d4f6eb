//! The vectors of 64-bit ARM.

use core::arch::aarch64::*;
use core::arch::asm;
use core::array;

use fearless_simd::{Level, Neon, Simd};

use super::{Dots, Ends};
use crate::kernel::i8::{Quantization, Table};

/// `smull`, `addp` and `sadalp`; or `sdot`, where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neons<const DOT: bool>(Neon);

impl<const DOT: bool> Neons<DOT> {
    pub(super) fn new(level: Level) -> Option<Self> {
        #[cfg(feature = "std")]
        let is_there = std::arch::is_aarch64_feature_detected!("dotprod");
        #[cfg(not(feature = "std"))]
        let is_there = cfg!(target_feature = "dotprod");
        level.as_neon().map(Self).filter(|_| is_there || !DOT)
    }
}

/// By what four sums become bytes: the mantissas, how far to the left, and how far to the right, as less than zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct By {
    mantissa: int32x4_t,
    left: int32x4_t,
    right: int32x4_t,
    /// Least and most, less the zero point, and that.
    bounds: [int32x4_t; 3],
}

/// NEON is on every 64-bit ARM: there is nothing to check behind a token.
impl<const DOT: bool> Dots for Neons<DOT> {
    type Sums = int32x4_t;
    type X = int8x16_t;
    type W = int8x16_t;
    type By = By;
    type Bytes = [i8; 4];
    type Table = [int8x16x4_t; 4];
    const LOOKED_UP: usize = 16;
    const LANES: usize = 4;
    const TILE: [usize; 2] = [6, 4];
    const FLIP: u8 = 0;
    type Flip = ();

    #[inline(always)]
    fn flip(self) {}

    #[inline(always)]
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        self.0.vectorize(body)
    }

    #[inline(always)]
    unsafe fn start(self, numbers: *const i32) -> int32x4_t {
        // SAFETY: there are 4 numbers, as the caller promises.
        unsafe { vld1q_s32(numbers) }
    }

    #[inline(always)]
    unsafe fn splat(self, quad: *const i8, (): ()) -> int8x16_t {
        // SAFETY: there are 4 bytes, as the caller promises.
        unsafe { vreinterpretq_s8_s32(vdupq_n_s32(quad.cast::<i32>().read_unaligned())) }
    }

    #[inline(always)]
    unsafe fn inputs(self, quads: *const i8) -> int8x16_t {
        // SAFETY: there are 16 bytes, as the caller promises.
        unsafe { vld1q_s8(quads) }
    }

    #[inline(always)]
    unsafe fn filters(self, quads: *const i8) -> int8x16_t {
        // SAFETY: there are 16 bytes, as the caller promises.
        unsafe { vld1q_s8(quads) }
    }

    /// Two products of 128·127 at most are less than 2¹⁵.
    #[inline(always)]
    fn add(self, sums: int32x4_t, x: int8x16_t, w: int8x16_t) -> int32x4_t {
        if DOT {
            let mut sums = sums;
            // `vdotq_s32` is not stable.
            // SAFETY: the instruction is there: `new` looked; it reads and writes registers only.
            unsafe {
                asm!(
                    ".arch_extension dotprod",
                    "sdot {sums:v}.4s, {x:v}.16b, {w:v}.16b",
                    sums = inout(vreg) sums,
                    x = in(vreg) x,
                    w = in(vreg) w,
                    options(pure, nomem, nostack, preserves_flags)
                );
            }
            return sums;
        }
        // SAFETY: there is NEON.
        unsafe {
            let low = vmull_s8(vget_low_s8(x), vget_low_s8(w));
            vpadalq_s16(sums, vpaddq_s16(low, vmull_high_s8(x, w)))
        }
    }

    #[inline(always)]
    unsafe fn widened(self, bytes: *const i8) -> int32x4_t {
        // SAFETY: there are 4 bytes, as the caller promises.
        unsafe {
            let bytes = vreinterpret_s8_s32(vdup_n_s32(bytes.cast::<i32>().read_unaligned()));
            vmovl_s16(vget_low_s16(vmovl_s8(bytes)))
        }
    }

    #[inline(always)]
    fn plus(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: there is NEON.
        unsafe { vaddq_s32(a, b) }
    }

    #[inline(always)]
    fn by(self, ends: &Ends, first: usize, y: &Quantization) -> By {
        let [lower, upper, zero] = [y.lower, y.upper, y.zero].map(i32::from);
        let of = |numbers: &[u32; 16]| -> [i32; 4] {
            array::from_fn(|lane| numbers[(first + lane) % 16].cast_signed())
        };
        let mantissa: [i32; 4] = array::from_fn(|lane| ends.mantissa[(first + lane) % 16]);
        // SAFETY: there is NEON, and of each there are 4 numbers.
        unsafe {
            By {
                mantissa: vld1q_s32(mantissa.as_ptr()),
                left: vld1q_s32(of(&ends.left).as_ptr()),
                right: vnegq_s32(vld1q_s32(of(&ends.right).as_ptr())),
                bounds: [
                    vdupq_n_s32(lower - zero),
                    vdupq_n_s32(upper - zero),
                    vdupq_n_s32(zero),
                ],
            }
        }
    }

    #[inline(always)]
    fn times(self, sums: int32x4_t, by: &By) -> int32x4_t {
        // SAFETY: there is NEON.
        unsafe {
            let high = vqrdmulhq_s32(vshlq_s32(sums, by.left), by.mantissa);
            // One less where it is negative, and shifted: then a half goes down.
            let turned = vaddq_s32(high, vshrq_n_s32(vandq_s32(high, by.right), 31));
            vrshlq_s32(turned, by.right)
        }
    }

    #[inline(always)]
    fn bytes(self, sums: int32x4_t, by: &By) -> [i8; 4] {
        let [least, most, zero] = by.bounds;
        // Clamped before the zero point is added, which overflows nothing then.
        // SAFETY: there is NEON.
        let bytes = unsafe {
            let value = vminq_s32(vmaxq_s32(self.times(sums, by), least), most);
            let words = vqmovn_s32(vaddq_s32(value, zero));
            let bytes = vqmovn_s16(vcombine_s16(words, words));
            vget_lane_s32(vreinterpret_s32_s8(bytes), 0)
        };
        bytes.to_le_bytes().map(u8::cast_signed)
    }

    #[inline(always)]
    fn product(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: there is NEON.
        unsafe { vmulq_s32(a, b) }
    }

    #[inline(always)]
    fn left<const BY: i32>(self, sums: int32x4_t) -> int32x4_t {
        // SAFETY: there is NEON.
        unsafe { vshlq_n_s32(sums, BY) }
    }

    #[inline(always)]
    fn larger(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: there is NEON.
        unsafe { vmaxq_s32(a, b) }
    }

    #[inline(always)]
    unsafe fn narrowed(self, sums: int32x4_t, ends: &Ends, first: usize) -> int32x4_t {
        // SAFETY: there is NEON, and of each there are 4 numbers from `first` on, as the caller promises.
        unsafe {
            let high = vqrdmulhq_s32(sums, vld1q_s32(ends.mantissa.as_ptr().add(first)));
            // One less where it is negative: then a half goes down.
            let turned = vaddq_s32(high, vld1q_s32(ends.half.as_ptr().add(first)));
            let turned = vaddq_s32(turned, vshrq_n_s32(high, 31));
            let right = vld1q_u32(ends.right.as_ptr().add(first));
            vshlq_s32(turned, vnegq_s32(vreinterpretq_s32_u32(right)))
        }
    }

    #[inline(always)]
    unsafe fn write<const N: usize>(
        self,
        sums: [int32x4_t; N],
        [least, most]: [i8; 2],
        to: *mut i8,
    ) {
        // SAFETY: there is NEON, and there is room, as the caller promises.
        unsafe {
            let [least, most] = [vdup_n_s8(least), vdup_n_s8(most)];
            let (pairs, rest) = sums.as_chunks::<2>();
            for (n, &[a, b]) in pairs.iter().enumerate() {
                let bytes = vqmovn_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)));
                vst1_s8(
                    to.add(n * 2 * Self::LANES),
                    vmin_s8(vmax_s8(bytes, least), most),
                );
            }
            if let &[a] = rest {
                let words = vqmovn_s32(a);
                let bytes = vqmovn_s16(vcombine_s16(words, words));
                let four = vreinterpret_s32_s8(vmin_s8(vmax_s8(bytes, least), most));
                let to = to.add(pairs.len() * 2 * Self::LANES).cast::<i32>();
                to.write_unaligned(vget_lane_s32(four, 0));
            }
        }
    }

    #[inline(always)]
    fn table(self, bytes: &Table) -> Self::Table {
        // SAFETY: there is NEON, and there are four times 64 bytes.
        array::from_fn(|at| unsafe { vld1q_s8_x4(bytes.as_ptr().add(at * 64)) })
    }

    /// What lies behind 64 bytes leaves what was found.
    #[inline(always)]
    unsafe fn look_up(self, &[a, b, c, d]: &Self::Table, x: *const i8, y: *mut i8) {
        // SAFETY: there is NEON, and there are bytes and room, as the caller promises.
        unsafe {
            let x = vld1q_u8(x.cast());
            let less = |by: u8| vsubq_u8(x, vdupq_n_u8(by));
            let found = vqtbx4q_s8(vqtbl4q_s8(a, x), b, less(64));
            let found = vqtbx4q_s8(vqtbx4q_s8(found, c, less(128)), d, less(192));
            vst1q_s8(y, found);
        }
    }

    #[inline(always)]
    unsafe fn side_by_side(self, rows: [*const i8; 4], to: *mut i8) {
        // SAFETY: there is NEON, and there are bytes and room, as the caller promises.
        unsafe {
            let [a, b, c, d] = rows.map(
                #[inline(always)]
                |row| vld1q_s8(row),
            );
            vst4q_s8(to, int8x16x4_t(a, b, c, d));
        }
    }
}
