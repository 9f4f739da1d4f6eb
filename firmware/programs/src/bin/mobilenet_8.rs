//! `mobilenet` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::Arena8;
use nets::mobile::{self, MobileNet};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena8<MobileNet> = Overlay::ZERO;
    programs::run(|results| nets::forward8(&mobile::NET8, &mobile::IMAGE8, ARENA, results))
}
