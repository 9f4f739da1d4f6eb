//! Is there a person in an image of 96x96?: [`mobile::MobileNet`].
#![no_std]
#![no_main]

use convnet::{Arena, Overlay};
use nets::mobile::{self, MobileNet};

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut ARENA: Arena<MobileNet> = Overlay::ZERO;
    programs::run(|results| nets::forward(&mobile::NET, &mobile::IMAGE, ARENA, results))
}
