//! A budget holds where the compiler has to count the bytes.

use convnet::convnet;

const FILTERS: usize = 12;

convnet! {
    #[budget(ram = 32 KiB)]
    pub struct Net {
        input(32x32x3),
        conv1: conv(FILTERS, 5x5, pad = 2),
        max_pool(2x2),
        fc(10),
    }
}

fn main() {}
