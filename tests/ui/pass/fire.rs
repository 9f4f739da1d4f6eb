//! Fire modules, Iandola et al., *SqueezeNet* (2016), one in another, repeated; sizes by consts too.
#![deny(warnings)]

use convnet::convnet;

const SQUEEZE: usize = 16;

convnet! {
    struct Fire {
        input(55x55x96),
        [fire: [
            squeeze: conv(16, 1x1),
            relu,
            expand: concat {
                one: [conv(64, 1x1), relu],
                three: [conv(64, 3x3, pad = 1), relu],
            },
        ]] * 2,
        residual { concat { [], [residual { conv(128, 1x1) }] }, conv(128, 1x1) },
        global_avg_pool,
    }
}

convnet! {
    struct Named {
        input(55x55x96),
        [fire: [
            squeeze: conv(SQUEEZE, 1x1),
            relu,
            expand: concat {
                one: [conv(64, 1x1), relu],
                three: [conv(64, 3x3, pad = 1), relu],
            },
        ]] * 2,
        residual { concat { [], [residual { conv(128, 1x1) }] }, conv(128, 1x1) },
        global_avg_pool,
    }
}

fn trains<N: convnet::Trainable>() {}

fn main() {
    trains::<Named<f64>>();
    let fire = (Fire::PARAMETERS, Fire::MACS, Fire::ARENA_BYTES, Fire::TAPE_BYTES, Fire::OUTPUT);
    let named = (Named::PARAMETERS, Named::MACS, Named::ARENA_BYTES, Named::TAPE_BYTES, Named::OUTPUT);
    assert_eq!(fire, named);
    // As torchvision counts fire2 and fire3.
    assert_eq!(Fire::PARAMETERS, 11_920 + 12_432 + 16_512 + 32_896);
    let net = Named::<f32>::boxed();
    assert_eq!(net.fire2_expand_three_conv1.bias.len(), 64);
    let mut image = convnet::Volume::boxed();
    image[3][4][5] = 1.0;
    assert_eq!(net.forward(&image, &mut Named::arena()).as_slice(), [0.0; 128]);
}
