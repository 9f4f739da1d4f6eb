//! Twelve words in a second of speech: [`keywords::DsCnn`].
#![no_std]
#![no_main]

use convnet::{Arena, Overlay};
use nets::keywords::{self, DsCnn};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<DsCnn> = Overlay::ZERO;
    programs::run(|results| nets::forward(&keywords::NET, &keywords::IMAGE, ARENA, results))
}
