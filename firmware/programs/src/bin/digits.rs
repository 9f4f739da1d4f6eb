//! Ten handwritten digits: the weights in flash, the activations in one static arena.
#![no_std]
#![no_main]

use convnet::{Arena, Overlay};
use nets::digits::{self, Digits};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<Digits> = Overlay::ZERO;
    programs::run(|results| digits::run(ARENA, results))
}
