//! `net2` in bytes: integers only.
#![no_std]
#![no_main]

use convnet::Overlay;
use nets::Arena8;
use nets::cifar::Net2;
use nets::cifar8::{IMAGE, NET2};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena8<Net2> = Overlay::ZERO;
    programs::run(|results| nets::forward8(&NET2, &IMAGE, ARENA, results))
}
