//! A budget of `int8!` counts bytes of int8.

convnet::convnet! {
    pub struct Cifar {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        avg_pool(2x2),
        scores: fc(10),
    }
}
convnet::int8! { #[budget(ram = 8 KiB, flash = 64 KiB)] Cifar }

fn main() {}
