//! Ten handwritten digits, in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::digits8;

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: digits8::Arena = Overlay::ZERO;
    programs::run(|results| digits8::run(ARENA, results))
}
