//! A few steps of training, in static memory.
#![no_std]
#![no_main]

use nets::tune::{self, Memory};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    programs::run(|results| tune::run(MEMORY, results))
}
