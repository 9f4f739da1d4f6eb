//! `net1` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::Arena8;
use nets::cifar::Net1;
use nets::cifar8::{IMAGE, NET1};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena8<Net1> = Overlay::ZERO;
    programs::run(|results| nets::forward8(&NET1, &IMAGE, ARENA, results))
}
