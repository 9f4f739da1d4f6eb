//! A network for images of 32x32x3, [`cifar::Net0`].
#![no_std]
#![no_main]

use convnet::{Arena, Overlay};
use nets::cifar::{IMAGE, NET0, Net0};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<Net0> = Overlay::ZERO;
    programs::run(|results| nets::forward(&NET0, &IMAGE, ARENA, results))
}
