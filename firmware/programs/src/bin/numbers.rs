//! Every kind of number through layers without weights.
#![no_std]
#![no_main]

use nets::numbers::{self, Memory};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    programs::run(|results| numbers::run(MEMORY, results))
}
