//! Sums of products with Thumb's first instructions: Cortex-M0, M0+ and M1.
//!
//! ```text
//!  ldrsb  x ◀─ [end of x − left]      add  x − zero      of four filters  ldrsb  w ◀─ [end of w − left]
//!                                                                         muls   w · x
//!                                                                         add    sum, in a high register
//! ```
//!
//! One register counts what is left of all five: 15 instructions for four products. Only `add` reaches the high
//! registers, which hold the sums, and what the compiler makes of the loop has no place for them. Its plain twin is in
//! `dot`.

#![expect(unsafe_code, reason = "instructions that only assembly has")]

use core::arch::naked_asm;

use super::dot::FILTERS;

/// What the loop reads, in its order.
#[repr(C)]
struct Job {
    /// Bytes of each, as less than zero.
    left: i32,
    /// The end of x, and of each filter.
    ends: [*const i8; 1 + FILTERS],
    /// Less the zero point.
    offset: i32,
    sums: [i32; FILTERS],
}

/// Each of `sums` grows by `Σ (x − zero) · w` of its own filter, over as many bytes as all have.
pub(super) fn dot(x: &[i8], zero: i8, banks: [&[i8]; FILTERS], sums: &mut [i32; FILTERS]) {
    let len = banks.iter().fold(x.len(), |len, bank| len.min(bank.len()));
    let [a, b, c, d] = banks;
    let mut job = Job {
        left: (len as i32).wrapping_neg(),
        ends: [x, a, b, c, d].map(|of| of.as_ptr().wrapping_add(len)),
        offset: -i32::from(zero),
        sums: *sums,
    };
    // SAFETY: each has `len` bytes before its end, which are read.
    unsafe { products(&mut job) };
    *sums = job.sums;
}

/// Four inputs a round, then one.
///
/// # Safety
///
/// So many bytes are there.
#[unsafe(naked)]
unsafe extern "C" fn products(_: &mut Job) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r0, r4-r7}}",
        "mov r7, r0",
        "adds r7, #24",
        "ldm r7!, {{r1, r3-r6}}",
        "mov r12, r1",
        "mov r8, r3",
        "mov r9, r4",
        "mov r10, r5",
        "mov r11, r6",
        "ldm r0!, {{r1-r5}}",
        "mov lr, r1",
        "ldr r0, [r0]",
        "mov r1, r2",
        "mov r2, r3",
        "mov r3, r4",
        "mov r4, r5",
        "mov r5, r0",
        "mov r0, lr",
        "b 3f",
        ".macro four_products",
        "ldrsb r6, [r1, r0]",
        "add r6, r12",
        "ldrsb r7, [r2, r0]",
        "muls r7, r6, r7",
        "add r8, r7",
        "ldrsb r7, [r3, r0]",
        "muls r7, r6, r7",
        "add r9, r7",
        "ldrsb r7, [r4, r0]",
        "muls r7, r6, r7",
        "add r10, r7",
        "ldrsb r7, [r5, r0]",
        "muls r7, r6, r7",
        "add r11, r7",
        "adds r0, #1",
        ".endm",
        "2:",
        ".rept 4",
        "four_products",
        ".endr",
        "3:",
        "adds r6, r0, #3",
        "bmi 2b",
        "cmp r0, #0",
        "beq 5f",
        "4:",
        "four_products",
        "bne 4b",
        "5:",
        ".purgem four_products",
        "pop {{r0}}",
        "adds r0, #28",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "stm r0!, {{r4-r7}}",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
