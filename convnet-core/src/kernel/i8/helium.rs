//! Sixteen products an instruction: Cortex-M52, M55 and M85, by Helium's `vmladava`.
//!
//! ```text
//!  q0: weights of a filter ──┬─▶ × window 0, q1 ──▶ sum 0      a loop of 11 instructions for 64 products,
//!                            ├─▶ × window 1, q2 ──▶ sum 1      of which the last counts: `letp` leaves out
//!                            ├─▶ …                             what is beyond the window
//!                            └─▶ all of them    ──▶ weights    by which the zero point is taken off at the end
//! ```
//!
//! A sum is in a general register, with an even number. The plain twins are in `windows`.

#![expect(unsafe_code, reason = "instructions that only assembly has")]

use core::arch::naked_asm;

use super::filters::PART;
use super::windows::{Rows, SHORT, Sums, WINDOWS};
use super::{Channel, Quantization};
use crate::kernel::window::extent;

/// Of each filter, the sums of its products with the windows, and its weights.
pub(super) fn multiply(windows: &[i8], filters: &[i8], len: usize, sums: &mut Sums) {
    let Some(count) = filters.len().checked_div(len) else {
        return;
    };
    if windows.len() >= WINDOWS * len && (1..=PART).contains(&count) {
        // SAFETY: there are so many windows and filters of `len` bytes, one at least, and room for the sums of each.
        unsafe { products(windows.as_ptr(), len, filters.as_ptr(), sums, count) }
    }
}

/// # Safety
///
/// `WINDOWS` windows and `count` filters of `len` bytes are there; neither number is zero; `count` is `PART` at most.
#[unsafe(naked)]
unsafe extern "C" fn products(
    _: *const i8,
    _len: usize,
    _: *const i8,
    _: &mut Sums,
    _count: usize,
) {
    naked_asm!(
        ".cpu cortex-m55", // what lists a module's symbols reads it without the target's features
        "push {{r4-r11, lr}}",
        "mov r12, r0", // the windows
        "mov r11, r1",
        "mov r1, r2",
        "mov r10, r3",
        "2:",
        "mov r3, r12",
        "add r5, r3, r11",
        "add r7, r5, r11",
        "add r9, r7, r11",
        "mov r0, #0",
        "mov r2, #0",
        "mov r4, #0",
        "mov r6, #0",
        "mov r8, #0",
        "dlstp.8 lr, r11",
        "3:",
        "vldrb.8 q0, [r1], #16",
        "vldrb.8 q1, [r3], #16",
        "vmladava.s8 r0, q0, q1",
        "vldrb.8 q2, [r5], #16",
        "vmladava.s8 r2, q0, q2",
        "vldrb.8 q3, [r7], #16",
        "vmladava.s8 r4, q0, q3",
        "vldrb.8 q1, [r9], #16",
        "vmladava.s8 r6, q0, q1",
        "vaddva.s8 r8, q0",
        "letp lr, 3b",
        "sub r3, r3, r12", // as far as r1 has come
        "sub r1, r1, r3",
        "add r1, r1, r11",
        "str r2, [r10, #{part}]",
        "str r4, [r10, #2 * {part}]",
        "str r6, [r10, #3 * {part}]",
        "str r8, [r10, #4 * {part}]",
        "str r0, [r10], #4",
        "ldr r0, [sp, #36]",
        "subs r0, #1",
        "str r0, [sp, #36]",
        "bne 2b",
        "pop {{r4-r11, pc}}",
        part = const 4 * PART,
    )
}

/// So many rows of `len` bytes, as far from each other as the pitches of x and y say.
pub(super) fn copy_rows(pitches: [usize; 2], rows: usize, len: usize, x: &[i8], y: &mut [i8]) {
    let ends = pitches.map(|pitch| extent(rows, pitch, len));
    if len > 0 && ends[0] <= Some(x.len()) && ends[1] <= Some(y.len()) && ends[0].is_some() {
        // SAFETY: so many rows, one at least, are within x and y.
        unsafe {
            copy(
                x.as_ptr(),
                pitches[0],
                y.as_mut_ptr(),
                pitches[1],
                rows,
                len,
            )
        }
    }
}

/// # Safety
///
/// So many rows of so many bytes are there; neither number is zero.
#[unsafe(naked)]
unsafe extern "C" fn copy(_: *const i8, _: usize, _: *mut i8, _: usize, _rows: usize, _len: usize) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r6, lr}}",
        "ldrd r4, r5, [sp, #16]",
        "2:",
        "mov r6, r0",
        "mov r12, r2",
        "dlstp.8 lr, r5",
        "3:",
        "vldrb.8 q0, [r6], #16",
        "vstrb.8 q0, [r12], #16",
        "letp lr, 3b",
        "add r0, r1",
        "add r2, r3",
        "subs r4, #1",
        "bne 2b",
        "pop {{r4-r6, pc}}",
    )
}

/// Four windows, one behind the other, as `windows` says.
pub(super) fn copy_windows(
    [right, on]: [usize; 2],
    rows: &Rows,
    x: &[i8],
    y: &mut [i8],
) -> Option<()> {
    let &Rows { pitch, count, len } = rows;
    let last = right + on + right + extent(count, pitch, len)?;
    if count == 0
        || !(1..=SHORT).contains(&len)
        || last > x.len()
        || WINDOWS * count * len > y.len()
    {
        return None;
    }
    let steps = [right, on, pitch, count, len];
    // SAFETY: the last byte of the last window is within x, and y has room for all of them.
    unsafe { copy_four(x.as_ptr(), y.as_mut_ptr(), &steps) }
    Some(())
}

/// # Safety
///
/// Four windows of so many rows, one at least, of 1 to 16 bytes are there, and room for them.
#[unsafe(naked)]
unsafe extern "C" fn copy_four(_: *const i8, _: *mut i8, _: &[usize; 5]) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r9, lr}}",
        "ldm r2, {{r3-r7}}",
        "vctp.8 r7",
        "mov r8, #{windows}",
        "2:",
        "mov r9, r0",
        "dls lr, r6",
        "3:",
        "vpstt",
        "vldrbt.8 q0, [r9]",
        "vstrbt.8 q0, [r1]",
        "add r9, r5",
        "add r1, r7",
        "le lr, 3b",
        "add r0, r3",
        "mov r2, r3",
        "mov r3, r4",
        "mov r4, r2",
        "subs r8, #1",
        "bne 2b",
        "pop {{r4-r9, pc}}",
        windows = const WINDOWS,
    )
}

/// What is stored of sums, each of a channel of its own.
pub(super) fn store(channels: &[Channel], to: &Quantization, sums: &[i32; PART], y: &mut [i8]) {
    let count = channels.len().min(y.len()).min(PART);
    let bounds = [to.zero, to.lower, to.upper].map(i32::from);
    // SAFETY: so many channels, sums and bytes are there.
    unsafe {
        store_all(
            channels.as_ptr(),
            sums.as_ptr(),
            y.as_mut_ptr(),
            count,
            &bounds,
        )
    }
}

/// [`Multiplier::times`](super::Multiplier::times), four at a time.
///
/// # Safety
///
/// There are `count` channels, sums and bytes to write.
#[unsafe(naked)]
unsafe extern "C" fn store_all(
    _: *const Channel,
    _: *const i32,
    _: *mut i8,
    _count: usize,
    _: &[i32; 3],
) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r7, lr}}",
        "ldr r4, [sp, #20]",
        "ldm r4, {{r4, r5, r7}}",
        "vpush {{d8-d13}}",
        "vdup.32 q4, r5",
        "vdup.32 q5, r7",
        "mov r6, #0",
        "vidup.u32 q6, r6, #4", // 0, 4, 8, 12
        "mov r7, #3",
        "vmul.i32 q6, q6, r7",
        "vadd.i32 q6, q6, r0", // where channels are
        "mov r7, #48",
        "wlstp.32 lr, r3, 3f",
        "2:",
        "vldrw.u32 q0, [r1], #16",
        "vldrw.u32 q1, [q6]", // the bias
        "vadd.i32 q0, q0, q1",
        "vldrw.u32 q1, [q6, #8]", // the exponent
        "vmov.i32 q2, #0",
        "vmax.s32 q3, q1, q2",
        "vmin.s32 q1, q1, q2",
        "vshl.s32 q0, q0, q3",
        "vldrw.u32 q3, [q6, #4]", // the mantissa
        "vqrdmulh.s32 q0, q0, q3",
        "vand q3, q0, q1", // of negative numbers that are shifted, a half goes down
        "vshr.s32 q3, q3, #31",
        "vqadd.s32 q0, q0, q3",
        "vrshl.s32 q0, q0, q1",
        "vqadd.s32 q0, q0, r4",
        "vmax.s32 q0, q0, q4",
        "vmin.s32 q0, q0, q5",
        "vstrb.32 q0, [r2], #4",
        "vadd.i32 q6, q6, r7",
        "letp lr, 2b",
        "3:",
        "vpop {{d8-d13}}",
        "pop {{r4-r7, pc}}",
    )
}
