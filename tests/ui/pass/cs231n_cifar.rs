//! CS231n's example network for CIFAR-10, and its figures.

use convnet::convnet;

convnet! {
    #[budget(ram = 64 KiB, flash = 128 KiB)]
    struct Cifar {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

fn main() {
    assert_eq!((Cifar::PARAMETERS, Cifar::MACS, Cifar::ARENA_BYTES), (31_642, 952_320, 61_440));
}
