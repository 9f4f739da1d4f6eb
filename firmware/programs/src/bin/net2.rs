//! A network for images of 32x32x3, [`cifar::Net2`].
#![no_std]
#![no_main]

use convnet::{Arena, Overlay};
use nets::cifar::{IMAGE, NET2, Net2};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<Net2> = Overlay::ZERO;
    programs::run(|results| nets::forward(&NET2, &IMAGE, ARENA, results))
}
