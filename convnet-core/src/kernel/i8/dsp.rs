//! Two products an instruction: Cortex-M4, M7 and M33, by the DSP extension's `smlad`.
//!
//! ```text
//!  ldr      x3 x2 x1 x0          sxtab16  x2 − z │ x0 − z        smlad  sum += (x2 − z)·w2 + (x0 − z)·w0
//!                                sxtab16  x3 − z │ x1 − z        smlad  sum += (x3 − z)·w3 + (x1 − z)·w1
//! ```
//!
//! Four bytes of x are widened once for four filters: 23 instructions for 16 products. Its plain twin is in
//! `dot`, which does the last bytes of a run.

#![expect(unsafe_code, reason = "instructions that only assembly has")]

use core::arch::{asm, naked_asm};

use super::dot::FILTERS;
use super::packed::PIXELS;
use super::tiles::{Column, Sums};
use super::{Channel, Walk};

/// What lists a module's symbols reads it without the target's features, and that of ARMv8-M alone has no such
/// instructions.
#[cfg(cortex_m33)]
macro_rules! cpu {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(not(cortex_m33))]
macro_rules! cpu {
    () => {
        ""
    };
}

/// As many as there are whole words; what is left over.
#[inline(always)]
pub(super) fn dot<'a>(
    x: &'a [i8],
    zero: i8,
    banks: [&'a [i8]; FILTERS],
    sums: &mut [i32; FILTERS],
) -> (&'a [i8], [&'a [i8]; FILTERS]) {
    let offset = offset(zero);
    let (words, rest) = x.as_chunks::<4>();
    let [a, b, c, d] = banks.map(<[i8]>::as_chunks::<4>);
    let mut own = *sums;
    for ((((x, a), b), c), d) in words.iter().zip(a.0).zip(b.0).zip(c.0).zip(d.0) {
        let x = word(x);
        let [even, odd] = [sxtab16(offset, x), sxtab16_odd(offset, x)];
        for (sum, w) in own.iter_mut().zip([a, b, c, d]) {
            let w = word(w);
            *sum = smlad(sxtb16(w), even, *sum);
            *sum = smlad(sxtb16_odd(w), odd, *sum);
        }
    }
    *sums = own;
    (rest, [a.1, b.1, c.1, d.1])
}

/// A tile: each word of filters with its column. 13 instructions for 16 products.
pub(super) fn tile(columns: &[Column], block: &[[i8; 4]], sums: &mut Sums) {
    let pairs = columns.len().min(block.len());
    // SAFETY: as many columns and words are read as both have, and the sums are written.
    unsafe { tile_of(columns.as_ptr(), block.as_ptr(), pairs, sums) }
}

/// Eight pairs a round; of the first round, those that are over eight are left out.
///
/// # Safety
///
/// So many columns and words are there.
#[unsafe(naked)]
unsafe extern "C" fn tile_of(_: *const Column, _: *const [i8; 4], _pairs: usize, _: &mut Sums) {
    naked_asm!(
        cpu!(),
        "push {{r3-r11, lr}}",
        "ldm r3, {{r4-r11}}",
        "add r12, r0, r2, lsl #4", // the end of the columns
        "push {{r12}}",
        "rsb r2, r2, #0",
        "and r2, r2, #7", // pairs to leave out
        "adr r3, 2f",
        "mov r12, #52", // bytes of a pair's instructions
        "mla r2, r2, r12, r3",
        "ldr r3, [sp]",
        "cmp r0, r3",
        "beq 3f",
        "orr r2, r2, #1",
        "bx r2",
        ".balign 4",
        "2:",
        ".rept 8",
        "ldr.w r12, [r1], #4",
        "sxtb16 r2, r12",
        "sxtb16 r12, r12, ror #8",
        "ldrd r3, lr, [r0], #8",
        "smlad r4, r2, r3, r4",
        "smlad r5, r12, r3, r5",
        "smlad r6, r2, lr, r6",
        "smlad r7, r12, lr, r7",
        "ldrd r3, lr, [r0], #8",
        "smlad r8, r2, r3, r8",
        "smlad r9, r12, r3, r9",
        "smlad r10, r2, lr, r10",
        "smlad r11, r12, lr, r11",
        ".endr",
        "ldr r3, [sp]",
        "cmp r0, r3",
        "bne 2b",
        "3:",
        "add sp, #4",
        "ldr r3, [sp], #4",
        "stm r3, {{r4-r11}}",
        "pop {{r4-r11, pc}}",
    )
}

/// A tile of so many rows, whose pixels lie as the steps say: 15 instructions for 16 products.
pub(super) fn tile_in_rows<W: Walk>(x: &[i16], rows: usize, block: &[[i8; 4]], sums: &mut Sums) {
    let steps = const { W::STEPS };
    if rows > 0 && x.len() >= steps.seen(rows) && block.len() >= rows * steps.run / 2 {
        // SAFETY: x and the filters are at least as long as what so many rows see, and the sums are written.
        unsafe { tile_of_rows::<W>(x.as_ptr(), block.as_ptr(), rows, sums) }
    }
}

/// # Safety
///
/// At least one row, and what so many see is there.
#[unsafe(naked)]
unsafe extern "C" fn tile_of_rows<W: Walk>(
    _: *const i16,
    _: *const [i8; 4],
    _rows: usize,
    _: &mut Sums,
) {
    naked_asm!(
        cpu!(),
        "push {{r2-r11, lr}}",
        "ldm r3, {{r4-r11}}",
        "2:",
        ".rept {pairs}",
        "ldr.w r12, [r1], #4",
        "sxtb16 r2, r12",
        "sxtb16 r12, r12, ror #8",
        "ldr.w lr, [r0, #{a}]",
        "ldr.w r3, [r0], #4",
        "smlad r6, r2, lr, r6",
        "smlad r7, r12, lr, r7",
        "smlad r4, r2, r3, r4",
        "smlad r5, r12, r3, r5",
        "ldr.w r3, [r0, #{b}]",
        "ldr.w lr, [r0, #{c}]",
        "smlad r8, r2, r3, r8",
        "smlad r9, r12, r3, r9",
        "smlad r10, r2, lr, r10",
        "smlad r11, r12, lr, r11",
        ".endr",
        "ldr r3, [sp]",
        "addw r0, r0, #{next}",
        "subs r3, #1",
        "str r3, [sp]",
        "bne 2b",
        "ldr r3, [sp, #4]",
        "stm r3, {{r4-r11}}",
        "add sp, #8",
        "pop {{r4-r11, pc}}",
        pairs = const W::STEPS.run / 2,
        a = const 2 * W::STEPS.pixels[1],
        b = const 2 * W::STEPS.pixels[2] - 4,
        c = const 2 * W::STEPS.pixels[3] - 4,
        next = const 2 * (W::STEPS.pitch - W::STEPS.run),
    )
}

/// The values of a tile, whose pixels lie `k` bytes apart: a [`Rounding`](super::tiles::Rounding) of each sum.
#[inline(always)]
pub(super) fn put(channels: &[Channel; 2], zero: i8, sums: &Sums, y: &mut [i8], k: usize) {
    if y.len() >= k.saturating_mul(3).saturating_add(2) {
        // SAFETY: the last byte that is written is y[3k + 1].
        unsafe { put_at(channels, zero.into(), sums, y.as_mut_ptr(), k) }
    }
}

/// # Safety
///
/// There are 3k + 2 bytes to write.
#[unsafe(naked)]
unsafe extern "C" fn put_at(_: &[Channel; 2], _zero: i32, _: &Sums, _y: *mut i8, _k: usize) {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "ldr r11, [sp, #36]", // k
        "add lr, r3, r11, lsl #1",
        "add lr, lr, r11", // the last pixel
        ".rept 2",
        "ldrd r8, r9, [r0, #4]", // the mantissa and the exponent
        "add r0, r0, #12",
        "ldr r5, [r2, #8]",
        "ldr r6, [r2, #16]",
        "ldr r7, [r2, #24]",
        "ldr r4, [r2], #4",
        "rsb r9, r9, #0", // the shift
        "mov r10, #1",
        "lsl r10, r10, r9",
        "lsl r12, r1, r9",
        "add r10, r12, r10, lsr #1", // half of what is shifted out, and the zero point
        ".irp sum, r4, r5, r6, r7",
        "lsl \\sum, \\sum, #1",
        "smmulr \\sum, \\sum, r8",
        "add \\sum, \\sum, \\sum, asr #31",
        "add \\sum, \\sum, r10",
        "asr \\sum, \\sum, r9",
        "ssat \\sum, #8, \\sum",
        ".endr",
        "strb r5, [r3, r11]",
        "strb r6, [r3, r11, lsl #1]",
        "strb r7, [lr], #1",
        "strb r4, [r3], #1",
        ".endr",
        "pop {{r4-r11, pc}}",
    )
}

/// Four inputs of one pixel become pairs in its columns, as many as whole fours there are; how many inputs those
/// are.
#[inline(always)]
pub(super) fn widen(run: &[i8], zero: i8, columns: &mut [Column], p: usize) -> usize {
    let offset = offset(zero);
    let put = |bytes: &[i8], to: &mut [Column]| {
        let x = word(bytes.first_chunk().unwrap_or(&[0; 4]));
        if let [even, odd, ..] = to {
            even[p % PIXELS] = sxtab16(offset, x);
            odd[p % PIXELS] = sxtab16_odd(offset, x);
        }
    };
    // Four words at a time, then those that are left.
    let (fours, _) = run.as_chunks::<16>();
    for (x, to) in fours.iter().zip(columns.as_chunks_mut::<8>().0) {
        put(&x[..4], &mut to[..2]);
        put(&x[4..8], &mut to[2..4]);
        put(&x[8..12], &mut to[4..6]);
        put(&x[12..], &mut to[6..]);
    }
    let done = 16 * fours.len();
    let (words, _) = run.get(done..).unwrap_or_default().as_chunks::<4>();
    let rest = columns.get_mut(done / 2..).unwrap_or_default();
    for (x, to) in words.iter().zip(rest.as_chunks_mut::<2>().0) {
        put(x, to);
    }
    done + 4 * words.len()
}

/// Of one window as many as there are whole words; what is left over.
#[inline(always)]
pub(super) fn dense<'a>(
    x: &'a [i8],
    zero: i8,
    block: &'a [[i8; 4]],
    sums: &mut [i32; 2],
) -> (&'a [i8], &'a [[i8; 4]]) {
    let offset = offset(zero);
    let (words, rest) = x.as_chunks::<4>();
    let (pairs, _) = block.as_chunks::<2>();
    let [mut a, mut b] = *sums;
    for (x, pair) in words.iter().zip(pairs) {
        let [x, even, odd] = [word(x), word(&pair[0]), word(&pair[1])];
        let [x, next] = [sxtab16(offset, x), sxtab16_odd(offset, x)];
        a = smlad(sxtb16(even), x, a);
        b = smlad(sxtb16_odd(even), x, b);
        a = smlad(sxtb16(odd), next, a);
        b = smlad(sxtb16_odd(odd), next, b);
    }
    *sums = [a, b];
    (rest, block.get(2 * words.len()..).unwrap_or_default())
}

/// Of each byte the larger.
#[inline(always)]
pub(super) fn larger<const N: usize>(most: &mut [i8; N], x: &[i8; N]) {
    let x = x.as_chunks::<4>().0;
    for (most, x) in most.as_chunks_mut::<4>().0.iter_mut().zip(x) {
        let (a, b) = (word(most), word(x));
        let larger: u32;
        // SAFETY: from register to register, and the flags by which `sel` chooses.
        unsafe {
            asm!("ssub8 {0}, {1}, {2}", "sel {0}, {1}, {2}", out(reg) larger, in(reg) a, in(reg) b, options(pure, nomem, nostack));
        }
        *most = larger.to_le_bytes().map(u8::cast_signed);
    }
}

/// What is added to two bytes to take the zero point off.
#[inline(always)]
fn offset(zero: i8) -> u32 {
    let half = (-i32::from(zero)) as u16 as u32;
    half << 16 | half
}

#[inline(always)]
fn word(bytes: &[i8; 4]) -> u32 {
    u32::from_le_bytes(bytes.map(i8::cast_unsigned))
}

/// Bytes 0 and 2, as 16 bits each.
#[inline(always)]
fn sxtb16(bytes: u32) -> u32 {
    let halves;
    // SAFETY: from register to register.
    unsafe {
        asm!("sxtb16 {}, {}", lateout(reg) halves, in(reg) bytes, options(pure, nomem, nostack));
    }
    halves
}

/// Bytes 1 and 3, as 16 bits each.
#[inline(always)]
fn sxtb16_odd(bytes: u32) -> u32 {
    let halves;
    // SAFETY: from register to register.
    unsafe {
        asm!("sxtb16 {}, {}, ror #8", lateout(reg) halves, in(reg) bytes, options(pure, nomem, nostack));
    }
    halves
}

/// Bytes 0 and 2, and what is added to each.
#[inline(always)]
fn sxtab16(add: u32, bytes: u32) -> u32 {
    let halves;
    // SAFETY: from register to register.
    unsafe {
        asm!("sxtab16 {}, {}, {}", lateout(reg) halves, in(reg) add, in(reg) bytes, options(pure, nomem, nostack));
    }
    halves
}

/// Bytes 1 and 3, and what is added to each.
#[inline(always)]
fn sxtab16_odd(add: u32, bytes: u32) -> u32 {
    let halves;
    // SAFETY: from register to register.
    unsafe {
        asm!("sxtab16 {}, {}, {}, ror #8", lateout(reg) halves, in(reg) add, in(reg) bytes, options(pure, nomem, nostack));
    }
    halves
}

/// The products of both halves, and `sum`.
#[inline(always)]
fn smlad(a: u32, b: u32, sum: i32) -> i32 {
    let all;
    // SAFETY: from register to register.
    unsafe {
        asm!("smlad {}, {}, {}, {}", lateout(reg) all, in(reg) a, in(reg) b, in(reg) sum, options(pure, nomem, nostack));
    }
    all
}
