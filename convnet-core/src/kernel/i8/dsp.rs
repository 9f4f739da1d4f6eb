//! Two products an instruction: Cortex-M4 and M7, by the DSP extension's `smlad`.
//!
//! ```text
//!  ldr      x3 x2 x1 x0          sxtab16  x2 − z │ x0 − z        smlad  sum += (x2 − z)·w2 + (x0 − z)·w0
//!                                sxtab16  x3 − z │ x1 − z        smlad  sum += (x3 − z)·w3 + (x1 − z)·w1
//! ```
//!
//! Four bytes of x are widened once for four filters: 23 instructions for 16 products. Its plain twin is in
//! `dot`, which does the last bytes of a run.

#![expect(unsafe_code, reason = "instructions that only assembly has")]

use core::arch::asm;

use super::dot::FILTERS;

/// As many as there are whole words; what is left over.
#[inline(always)]
pub(super) fn dot<'a>(
    x: &'a [i8],
    zero: i8,
    banks: [&'a [i8]; FILTERS],
    sums: &mut [i32; FILTERS],
) -> (&'a [i8], [&'a [i8]; FILTERS]) {
    let half = (-i32::from(zero)) as u16 as u32;
    let offset = half << 16 | half;
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
