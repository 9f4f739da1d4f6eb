//! A budget of `int8!` counts bytes of int8.

convnet::convnet! {
    pub struct Cifar {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        max_pool(2x2),
        scores: fc(10),
    }
}
convnet::int8! { #[budget(flash = 16 KiB)] Cifar }

fn main() {}
