//! Cortex-M with an FPU: the tiles of `conv` and of `depthwise`, whose registers are counted out, and loops over scalars
//! that the compiler's take twice the instructions for.
//!
//! ```text
//!                       s0 … s3: weights of four filters (of four depths)
//!   r4: x of pixel 0 ──▶ s4   s8 … s11 += x · w
//!   r5: x of pixel 1 ──▶ s5   s12 … s15          up to six pixels: 34 instructions for 24 products
//! ```
//!
//! The compiler's loops take 45, and four times the bytes. A multiply-add rounds twice, as in the plain twins, which are
//! the tiles of `conv::scalar` and `depthwise::scalar`: the same to the bit.

#![expect(unsafe_code, reason = "registers that only assembly counts out")]

use core::arch::naked_asm;

use crate::kernel::largest::Windows;
use crate::kernel::window::extent;

/// Filters of a `conv`, or depths, of a tile.
pub(super) const LANES: usize = 4;

/// Pixels beside each other whose windows meet the same taps.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    pub(super) x: &'a [f32],
    /// From the first weight of the first tap on.
    pub(super) weights: &'a [f32],
    /// From the first lane on.
    pub(super) bias: &'a [f32],
    /// From pixel to pixel, in x and in y.
    pub(super) steps: [usize; 2],
    /// How many rows of how many taps there are. (Of a `conv`, each depth is one.)
    pub(super) taps: [usize; 2],
    /// From row to row, in x and in the weights.
    pub(super) pitches: [usize; 2],
    /// From tap to tap, in the weights.
    pub(super) step: usize,
}

/// What assembly reads, in its order; distances in bytes.
#[repr(C)]
struct Job {
    weights: *const f32,
    x_step: usize,
    rows: usize,
    x: *const f32,
    /// From the end of a row to the next one.
    x_skip: usize,
    skip: usize,
    step: usize,
    row: usize,
    bias: *const [f32; LANES],
    y: *mut f32,
    y_step: usize,
}

impl Tile<'_> {
    /// Six, four, two pixels or one of a `conv`, four filters of each, to `y`.
    #[inline(never)]
    pub(super) fn conv(&self, pixels: usize, y: &mut [f32]) -> Option<()> {
        let job = self.job(pixels, 1, y)?;
        // SAFETY: so many pixels are within x and y, as `job` says.
        unsafe {
            match pixels {
                6 => conv::<6>(&job),
                4 => conv::<4>(&job),
                2 => conv::<2>(&job),
                1 => conv::<1>(&job),
                _ => return None,
            }
        }
        Some(())
    }

    /// Four pixels or one of a `depthwise`, four depths of each, to `y`.
    #[inline(never)]
    pub(super) fn depthwise(&self, pixels: usize, y: &mut [f32]) -> Option<()> {
        let job = self.job(pixels, self.step, y)?;
        // SAFETY: so many pixels are within x and y, as `job` says.
        unsafe {
            match pixels {
                4 => depthwise::<4>(&job),
                1 => depthwise::<1>(&job),
                _ => return None,
            }
        }
        Some(())
    }

    /// `None` if something lies outside, where `x_step` leads from tap to tap.
    fn job(&self, pixels: usize, x_step: usize, y: &mut [f32]) -> Option<Job> {
        let &Self { steps, pitches, .. } = self;
        let [rows, row] = match self.taps {
            [_, 0] => [0, 0],
            taps => taps,
        };
        if rows > 0 {
            // Of a `conv`, a tap is one scalar of x.
            let own = if x_step == 1 { 1 } else { LANES };
            let seen = extent(pixels, steps[0], extent(row, x_step, own)?)?;
            let read = extent(row, self.step, LANES)?;
            self.x.get(..extent(rows, pitches[0], seen)?)?;
            self.weights.get(..extent(rows, pitches[1], read)?)?;
        }
        Some(Job {
            weights: self.weights.as_ptr(),
            x_step: bytes(steps[0]),
            rows,
            x: self.x.as_ptr(),
            x_skip: bytes(pitches[0]).wrapping_sub(bytes(row * x_step)),
            skip: bytes(pitches[1]).wrapping_sub(bytes(row * self.step)),
            step: bytes(self.step),
            row,
            bias: self.bias.first_chunk()?,
            y: y.get_mut(..extent(pixels, steps[1], LANES)?)?.as_mut_ptr(),
            y_step: bytes(steps[1]),
        })
    }
}

/// Wraps where nothing is read.
const fn bytes(scalars: usize) -> usize {
    scalars.wrapping_mul(size_of::<f32>())
}

/// A tile of `P` pixels, and what becomes of each at a tap.
macro_rules! tile {
    ($name:ident, $pixel:ident) => {
        /// # Safety
        ///
        /// `P` pixels and all taps are within x, the weights and y.
        #[unsafe(naked)]
        unsafe extern "C" fn $name<const P: usize>(_: &Job) {
            naked_asm!(
                ".fpu fpv4-sp-d16", // what lists a module's symbols reads it without the target's features
                "push {{r4-r11, lr}}",
                "vpush {{s16-s31}}",
                "ldm r0!, {{r1-r4, r10-r12, lr}}",
                "add r5, r4, r2",
                ".if {p} > 2; add r6, r5, r2; add r7, r6, r2; .endif",
                ".if {p} > 4; add r8, r7, r2; add r9, r8, r2; .endif",
                "ldr r2, [r0]",
                "vldmia r2, {{s8-s11}}",
                ".if {p} > 1; vldmia r2, {{s12-s15}}; .endif",
                ".if {p} > 2; vldmia r2, {{s16-s19}}; vldmia r2, {{s20-s23}}; .endif",
                ".if {p} > 4; vldmia r2, {{s24-s27}}; vldmia r2, {{s28-s31}}; .endif",
                "cmp r3, #0",
                "beq 4f",
                "2:",
                "mov r2, lr", // taps of a row
                "3:",
                "vldmia r1, {{s0-s3}}",
                "add r1, r12",
                $pixel!("r4": "s8", "s9", "s10", "s11"),
                ".if {p} > 1",
                $pixel!("r5": "s12", "s13", "s14", "s15"),
                ".endif; .if {p} > 2",
                $pixel!("r6": "s16", "s17", "s18", "s19"),
                $pixel!("r7": "s20", "s21", "s22", "s23"),
                ".endif; .if {p} > 4",
                $pixel!("r8": "s24", "s25", "s26", "s27"),
                $pixel!("r9": "s28", "s29", "s30", "s31"),
                ".endif",
                "subs r2, #1",
                "bne 3b",
                "add r1, r11",
                "add r4, r10",
                ".if {p} > 1; add r5, r10; .endif",
                ".if {p} > 2; add r6, r10; add r7, r10; .endif",
                ".if {p} > 4; add r8, r10; add r9, r10; .endif",
                "subs r3, #1",
                "bne 2b",
                "4:",
                "ldrd r1, r2, [r0, #4]",
                "vstmia r1, {{s8-s11}}",
                ".if {p} > 1; add r1, r2; vstmia r1, {{s12-s15}}; .endif",
                ".if {p} > 2; add r1, r2; vstmia r1, {{s16-s19}}; .endif",
                ".if {p} > 2; add r1, r2; vstmia r1, {{s20-s23}}; .endif",
                ".if {p} > 4; add r1, r2; vstmia r1, {{s24-s27}}; .endif",
                ".if {p} > 4; add r1, r2; vstmia r1, {{s28-s31}}; .endif",
                "vpop {{s16-s31}}",
                "pop {{r4-r11, pc}}",
                p = const P,
            )
        }
    };
}

/// One scalar of x, from which the next follows, by four weights.
macro_rules! one_by_four {
    ($x:literal: $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            concat!("vldmia ", $x, "!, {{s4}}; "),
            concat!("vmla.f32 ", $a, ", s4, s0; vmla.f32 ", $b, ", s4, s1; "),
            concat!("vmla.f32 ", $c, ", s4, s2; vmla.f32 ", $d, ", s4, s3; "),
        )
    };
}

/// Four scalars of x, from which it is as far to the next as from weights to weights, by a weight each.
macro_rules! four_by_four {
    ($x:literal: $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            concat!("vldmia ", $x, ", {{s4-s7}}; add ", $x, ", r12; "),
            concat!("vmla.f32 ", $a, ", s4, s0; vmla.f32 ", $b, ", s5, s1; "),
            concat!("vmla.f32 ", $c, ", s6, s2; vmla.f32 ", $d, ", s7, s3; "),
        )
    };
}

tile!(conv, one_by_four);
tile!(depthwise, four_by_four);

/// `max(0, v)` of each, by its bits.
pub(in crate::kernel) fn relu(v: &mut [f32]) {
    // SAFETY: so many scalars are in v.
    unsafe { clamp::<0>(v.as_mut_ptr(), v.len()) }
}

/// `min(max(0, v), 6)` of each.
pub(in crate::kernel) fn relu6(v: &mut [f32]) {
    // SAFETY: so many scalars are in v.
    unsafe { clamp::<1>(v.as_mut_ptr(), v.len()) }
}

/// `v · relu6(v + 3) / 6` of each, rounded as in the plain loop.
pub(crate) fn hard_swish(v: &mut [f32]) {
    // SAFETY: so many scalars are in v.
    unsafe { hard_swishes(v.as_mut_ptr(), v.len()) }
}

/// One scalar, clamped in a register of integers. As such numbers from -0.0 down to -inf are the least; behind them lie
/// the NaNs with a sign. From 6 up to inf is a range, too.
macro_rules! clamped {
    ($v:literal) => {
        concat!(
            concat!("cmp ", $v, ", r2; it le; movle ", $v, ", #0; "),
            concat!(".if {six}; sub lr, ", $v, ", r11; cmp lr, #0x3ec00000; "), // inf - 6
            concat!("it ls; movls ", $v, ", r11; .endif"),
        )
    };
}

/// # Safety
///
/// `v` points to so many scalars.
#[unsafe(naked)]
unsafe extern "C" fn clamp<const SIX: u32>(v: *mut f32, scalars: usize) {
    naked_asm!(
        "push {{r4-r11, lr}}",
        "movw r2, #0",
        "movt r2, #0xff80", // -inf
        ".if {six}; movw r11, #0; movt r11, #0x40c0; .endif",
        "subs r1, #8",
        "blo 3f",
        "2:",
        "ldm r0, {{r3-r10}}",
        clamped!("r3"),
        clamped!("r4"),
        clamped!("r5"),
        clamped!("r6"),
        clamped!("r7"),
        clamped!("r8"),
        clamped!("r9"),
        clamped!("r10"),
        "stm r0!, {{r3-r10}}",
        "subs r1, #8",
        "bhs 2b",
        "3:",
        "adds r1, #8",
        "beq 5f",
        "4:", // one by one
        "ldr r3, [r0]",
        clamped!("r3"),
        "stm r0!, {{r3}}",
        "subs r1, #1",
        "bne 4b",
        "5:",
        "pop {{r4-r11, pc}}",
        six = const SIX,
    )
}

/// A sum with three between 0 and 6, by its bits: NaN becomes either, for it is multiplied by itself.
macro_rules! between {
    ($v:literal) => {
        concat!(
            "usat ",
            $v,
            ", #31, ",
            $v,
            "; cmp ",
            $v,
            ", r6; it gt; movgt ",
            $v,
            ", r6"
        )
    };
}

/// # Safety
///
/// `v` points to so many scalars.
#[unsafe(naked)]
unsafe extern "C" fn hard_swishes(v: *mut f32, scalars: usize) {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "push {{r4-r6, lr}}",
        "movw r6, #0xaaab", // a sixth
        "movt r6, #0x3e2a",
        "vmov s8, r6",
        "vmov.f32 s9, #3.0",
        "movw r6, #0",
        "movt r6, #0x40c0", // 6
        "subs r1, #4",
        "blo 3f",
        "2:",
        "vldmia r0, {{s0-s3}}",
        "vadd.f32 s4, s0, s9",
        "vadd.f32 s5, s1, s9",
        "vadd.f32 s6, s2, s9",
        "vadd.f32 s7, s3, s9",
        "vmov r2, r3, s4, s5",
        "vmov r4, r5, s6, s7",
        between!("r2"),
        between!("r3"),
        between!("r4"),
        between!("r5"),
        "vmov s4, s5, r2, r3",
        "vmov s6, s7, r4, r5",
        "vmul.f32 s4, s4, s8",
        "vmul.f32 s5, s5, s8",
        "vmul.f32 s6, s6, s8",
        "vmul.f32 s7, s7, s8",
        "vmul.f32 s0, s0, s4",
        "vmul.f32 s1, s1, s5",
        "vmul.f32 s2, s2, s6",
        "vmul.f32 s3, s3, s7",
        "vstmia r0!, {{s0-s3}}",
        "subs r1, #4",
        "bhs 2b",
        "3:",
        "adds r1, #4",
        "beq 5f",
        "4:", // one by one
        "vldr s0, [r0]",
        "vadd.f32 s4, s0, s9",
        "vmov r2, s4",
        between!("r2"),
        "vmov s4, r2",
        "vmul.f32 s4, s4, s8",
        "vmul.f32 s0, s0, s4",
        "vstmia r0!, {{s0}}",
        "subs r1, #1",
        "bne 4b",
        "5:",
        "pop {{r4-r6, pc}}",
    )
}

/// What assembly reads of windows, in its order; distances in bytes.
#[repr(C)]
struct Pooled {
    x: *const f32,
    y: *mut f32,
    step: usize,
    /// From the end of a row to the next one.
    skip: usize,
    columns: usize,
    rows: usize,
    windows: usize,
    /// From behind a window's first pixel to the next window.
    next: usize,
    depth: usize,
}

/// [`Windows::largest`].
#[inline(never)]
pub(in crate::kernel) fn largest(
    windows: &Windows<'_, f32>,
    depth: usize,
    y: &mut [f32],
) -> Option<()> {
    let &Windows {
        x,
        taps,
        steps,
        step,
        ..
    } = windows;
    if taps[0] == 0 || taps[1] == 0 {
        y.fill(f32::NEG_INFINITY);
        return Some(());
    }
    let count = y.len().checked_div(depth)?;
    let row = extent(taps[1], steps[1], depth)?;
    let window = extent(taps[0], steps[0], row)?;
    x.get(..extent(count, step, window)?)?;
    let job = Pooled {
        x: x.as_ptr(),
        y: y.as_mut_ptr(),
        step: bytes(steps[1]),
        skip: bytes(steps[0]).wrapping_sub(bytes(taps[1] * steps[1])),
        columns: taps[1],
        rows: taps[0],
        windows: count,
        next: bytes(step).wrapping_sub(bytes(depth)),
        depth,
    };
    // SAFETY: all taps of so many windows are within x, and as many columns in y.
    unsafe { pool(&job) }
    Some(())
}

/// The larger of two, the first of equals. A sum with NaN is NaN.
macro_rules! larger {
    ($best:literal, $x:literal) => {
        concat!(
            concat!("vcmp.f32 ", $best, ", ", $x, "; vmrs APSR_nzcv, fpscr; "),
            concat!("it mi; vmovmi.f32 ", $best, ", ", $x, "; "),
            concat!("it vs; vaddvs.f32 ", $best, ", ", $best, ", ", $x),
        )
    };
}

/// # Safety
///
/// All taps of all windows, one of one at least, are within x, and their columns in y.
#[unsafe(naked)]
unsafe extern "C" fn pool(_: &Pooled) {
    naked_asm!(
        ".fpu fpv4-sp-d16",
        "push {{r4-r12, lr}}",
        "ldm r0, {{r0-r5, r10-r12}}",
        "2:", // a window
        "subs r6, r12, #4",
        "blo 5f",
        "22:", // four depths
        "vldmia r0, {{s0-s3}}",
        "mov r7, r0",
        "mov r8, r4",
        "mov r9, r5",
        "b 4f",
        "3:",
        "vldmia r7, {{s4-s7}}",
        larger!("s0", "s4"),
        larger!("s1", "s5"),
        larger!("s2", "s6"),
        larger!("s3", "s7"),
        "4:",
        "add r7, r2",
        "subs r8, #1",
        "bne 3b",
        "add r7, r3",
        "mov r8, r4",
        "subs r9, #1",
        "bne 3b",
        "adds r0, #16",
        "vstmia r1!, {{s0-s3}}",
        "subs r6, #4",
        "bhs 22b",
        "5:",
        "adds r6, #4",
        "beq 8f",
        "25:", // one
        "vldr s0, [r0]",
        "mov r7, r0",
        "mov r8, r4",
        "mov r9, r5",
        "b 7f",
        "6:",
        "vldr s4, [r7]",
        larger!("s0", "s4"),
        "7:",
        "add r7, r2",
        "subs r8, #1",
        "bne 6b",
        "add r7, r3",
        "mov r8, r4",
        "subs r9, #1",
        "bne 6b",
        "adds r0, #4",
        "vstmia r1!, {{s0}}",
        "subs r6, #1",
        "bne 25b",
        "8:",
        "add r0, r11",
        "subs r10, #1",
        "bne 2b",
        "pop {{r4-r12, pc}}",
    )
}
