//! `net2` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::cifar::Net2;
use nets::cifar8::{self, Arena, NET2};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<Net2> = Overlay::ZERO;
    programs::run(|results| cifar8::run(&NET2, ARENA, results))
}
