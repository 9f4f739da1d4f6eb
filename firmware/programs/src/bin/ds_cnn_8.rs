//! `ds_cnn` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::Arena8;
use nets::keywords::{self, DsCnn};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena8<DsCnn> = Overlay::ZERO;
    programs::run(|results| nets::forward8(&keywords::NET8, &keywords::IMAGE8, ARENA, results))
}
