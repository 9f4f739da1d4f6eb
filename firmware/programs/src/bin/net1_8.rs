//! `net1` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::cifar::Net1;
use nets::cifar8::{self, Arena, NET1};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<Net1> = Overlay::ZERO;
    programs::run(|results| cifar8::run(&NET1, ARENA, results))
}
