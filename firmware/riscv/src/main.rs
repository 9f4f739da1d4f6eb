//! # Networks in bytes on RISC-V
//!
//! `qemu-riscv32 riscv` prints the scores of the ten digits, `qemu-riscv32 riscv net0_8` those of `net0`, a line each. It
//! is built for `riscv32imac-unknown-none-elf`, and all that it asks of an operating system is to write and to end, by
//! Linux's numbers.
//!
//! A program that could panic does not link, as in `programs`.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

use convnet::Overlay;
use nets::cifar::Net0;
use nets::digits::Digits;
use nets::{Arena8, Words, cifar8, digits8};

// The stack is there already; on it lies how many words the command had.
global_asm!(
    ".globl _start",
    "_start:",
    "lw a0, 0(sp)",
    "call {run}",
    run = sym run
);

extern "C" fn run(words: usize) -> ! {
    static mut DIGITS: Arena8<Digits> = Overlay::ZERO;
    static mut NET0: Arena8<Net0> = Overlay::ZERO;
    // SAFETY: this runs once, and nothing else knows of the two.
    let (digits, net0) = unsafe { (&mut *&raw mut DIGITS, &mut *&raw mut NET0) };
    match words {
        1 => digits8::run(digits, &mut Lines),
        _ => nets::forward8(&cifar8::NET0, &cifar8::IMAGE, net0, &mut Lines),
    }
    const EXIT: usize = 93;
    loop {
        call(EXIT, &[]);
    }
}

/// Whole numbers, a line each.
struct Lines;

impl Words for Lines {
    fn begin(&mut self) {}

    fn end(&mut self) {}

    fn word(&mut self, bits: u32) {
        let number = f32::from_bits(bits) as i8;
        let size = number.unsigned_abs();
        let (mut line, mut len) = ([0; 5], 0);
        let digits = [(100, size / 100), (10, size / 10 % 10), (0, size % 10)];
        let sign = [b'-'].into_iter().filter(|_| number < 0);
        let digits = digits.into_iter().filter(|(least, _)| size >= *least);
        let all = sign
            .chain(digits.map(|(_, digit)| b'0' + digit))
            .chain([b'\n']);
        for (to, byte) in line.iter_mut().zip(all) {
            *to = byte;
            len += 1;
        }
        const WRITE: usize = 64;
        call(WRITE, line.get(..len).unwrap_or_default());
    }
}

/// Asks the operating system; of bytes, to its standard output.
fn call(what: usize, bytes: &[u8]) {
    const OUTPUT: usize = 1;
    let output = if bytes.is_empty() { 0 } else { OUTPUT };
    // SAFETY: the system reads the bytes, and writes nothing but a0.
    unsafe {
        asm!(
            "ecall",
            in("a7") what,
            inlateout("a0") output => _,
            in("a1") bytes.as_ptr(),
            in("a2") bytes.len(),
            options(nostack, readonly)
        );
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        #[link_name = "\n\nerror: a path to a panic is left in this program\n"]
        fn a_path_to_a_panic_is_left() -> !;
    }
    // SAFETY: nobody defines it, so a program that could get here does not link.
    unsafe { a_path_to_a_panic_is_left() }
}
