//! `net0` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::cifar::Net0;
use nets::cifar8::{self, Arena, NET0};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<Net0> = Overlay::ZERO;
    programs::run(|results| cifar8::run(&NET0, ARENA, results))
}
