//! The digits in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::Arena8;
use nets::digits::Digits;
use nets::digits8;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena8<Digits> = Overlay::ZERO;
    programs::run(|results| digits8::run(ARENA, results))
}
