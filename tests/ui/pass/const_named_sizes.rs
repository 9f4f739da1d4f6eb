//! Sizes by the names of consts, alone, in a size, and from another module.
#![deny(warnings)]

use convnet::{Trainable, convnet};

mod sizes {
    pub const CLASSES: usize = 10;
}
const SIDE: usize = 227;
const FILTERS: usize = 96;
const F: usize = 11;
const PAD: usize = 0;

convnet! {
    /// AlexNet's first layer.
    #[budget(ram = 2 MiB, flash = 2 MiB)]
    struct Named {
        input(SIDE x SIDE x 3),
        conv1: conv(FILTERS, F x F, stride = 4, pad = PAD),
        relu,
        max_pool(3x3, stride = 2),
        global_avg_pool,
        scores: fc(sizes::CLASSES),
    }
}

convnet! {
    struct Plain {
        input(227x227x3),
        conv1: conv(96, 11x11, stride = 4),
        relu,
        max_pool(3x3, stride = 2),
        global_avg_pool,
        scores: fc(10),
    }
}

fn trains<N: Trainable>() {}

fn main() {
    trains::<Named<f64>>();
    let named = (Named::PARAMETERS, Named::MACS, Named::ARENA_BYTES, Named::TAPE_BYTES, Named::OUTPUT);
    let plain = (Plain::PARAMETERS, Plain::MACS, Plain::ARENA_BYTES, Plain::TAPE_BYTES, Plain::OUTPUT);
    assert_eq!(named, plain);
    for (named, plain) in Named::LAYERS.iter().zip(Plain::LAYERS) {
        assert_eq!((named.volume, named.field, named.macs), (plain.volume, plain.field, plain.macs));
    }
    let (image, mut net) = (convnet::Volume::boxed(), Named::<f32>::boxed());
    net.scores.bias[7] = 1.0;
    assert_eq!(net.forward(&image, &mut Named::arena()).best(), 7);
}
