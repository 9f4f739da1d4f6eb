//! A network for images of 32x32x3, [`cifar::Net1`].
#![no_std]
#![no_main]

use convnet::{Arena, Overlay};
use nets::cifar::{IMAGE, NET1, Net1};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<Net1> = Overlay::ZERO;
    programs::run(|results| nets::forward(&NET1, &IMAGE, ARENA, results))
}
