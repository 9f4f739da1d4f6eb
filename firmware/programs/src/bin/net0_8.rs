//! `net0` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::Arena8;
use nets::cifar::Net0;
use nets::cifar8::{IMAGE, NET0};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena8<Net0> = Overlay::ZERO;
    programs::run(|results| nets::forward8(&NET0, &IMAGE, ARENA, results))
}
