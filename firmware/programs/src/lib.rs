//! # The board under every program: results out, instructions and stack counted
//!
//! All that is `unsafe` in the firmware is here; the programs and their networks forbid it.
//!
//! **Invariant:** a program that could panic does not link: the panic handler calls a function
//! that nobody defines, and only a program without a path to it loses the call.

#![no_std]
#![deny(missing_docs)]

use core::arch::asm;
use core::hint::black_box;
use core::panic::PanicInfo;

use nets::Words;

/// Runs a program, tells how deep its stack was, and ends the emulator.
pub fn run(program: impl FnOnce(&mut Results)) -> ! {
    program(&mut Results);
    write(b'k', stack());
    exit()
}

/// Results, to the emulator's console: `w 3f800000`.
pub struct Results;

impl Words for Results {
    fn begin(&mut self) {
        count_begin();
    }

    fn end(&mut self) {
        count_end();
    }

    fn word(&mut self, bits: u32) {
        write(b'w', bits);
    }
}

/// The emulator counts the instructions from here …
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn count_begin() {
    black_box(1);
}

/// … to here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn count_end() {
    black_box(2);
}

/// A line of a kind and a number.
#[inline(never)]
fn write(kind: u8, word: u32) {
    let mut line = *b"? 00000000\n\0";
    line[0] = kind;
    for (place, digit) in line[2..10].iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(word >> (28 - 4 * place)) as usize & 15];
    }
    const WRITE0: usize = 0x04;
    semihosting(WRITE0, line.as_ptr() as usize);
}

fn exit() -> ! {
    const EXIT: usize = 0x18;
    const APPLICATION_EXIT: usize = 0x2_0026;
    semihosting(EXIT, APPLICATION_EXIT);
    loop {
        core::hint::spin_loop();
    }
}

#[inline(always)]
fn semihosting(operation: usize, argument: usize) {
    // SAFETY: the emulator reads the line that `argument` points to, and writes nothing but r0.
    unsafe { asm!("bkpt 0xAB", inout("r0") operation => _, in("r1") argument, options(nostack)) };
}

/// How many bytes of the stack were ever used.
fn stack() -> u32 {
    unsafe extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    const PAINT: u32 = 0xCCCC_CCCC;
    let (mut low, high) = (&raw const _stack_end, &raw const _stack_start);
    // SAFETY: the words between the linker's two symbols are memory, which nothing else reads.
    while low < high && unsafe { low.read_volatile() } == PAINT {
        low = low.wrapping_add(1);
    }
    (high as usize - low as usize) as u32
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
