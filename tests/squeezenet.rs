//! SqueezeNet as torchvision has it (Iandola et al. 2016): nothing but blocks, and published numbers.

use convnet::convnet;

convnet! {
    /// SqueezeNet 1.0.
    struct SqueezeNet10 {
        input(224x224x3),
        conv1: conv(96, 7x7, stride = 2, fit = crop),
        relu,
        max_pool(3x3, stride = 2, fit = pad),
        fire2: [
            squeeze: conv(16, 1x1), relu,
            expand: concat { one: [conv(64, 1x1), relu], three: [conv(64, 3x3, pad = 1), relu] },
        ],
        fire3: [
            squeeze: conv(16, 1x1), relu,
            expand: concat { one: [conv(64, 1x1), relu], three: [conv(64, 3x3, pad = 1), relu] },
        ],
        fire4: [
            squeeze: conv(32, 1x1), relu,
            expand: concat { one: [conv(128, 1x1), relu], three: [conv(128, 3x3, pad = 1), relu] },
        ],
        max_pool(3x3, stride = 2, fit = pad),
        fire5: [
            squeeze: conv(32, 1x1), relu,
            expand: concat { one: [conv(128, 1x1), relu], three: [conv(128, 3x3, pad = 1), relu] },
        ],
        fire6: [
            squeeze: conv(48, 1x1), relu,
            expand: concat { one: [conv(192, 1x1), relu], three: [conv(192, 3x3, pad = 1), relu] },
        ],
        fire7: [
            squeeze: conv(48, 1x1), relu,
            expand: concat { one: [conv(192, 1x1), relu], three: [conv(192, 3x3, pad = 1), relu] },
        ],
        fire8: [
            squeeze: conv(64, 1x1), relu,
            expand: concat { one: [conv(256, 1x1), relu], three: [conv(256, 3x3, pad = 1), relu] },
        ],
        max_pool(3x3, stride = 2, fit = pad),
        fire9: [
            squeeze: conv(64, 1x1), relu,
            expand: concat { one: [conv(256, 1x1), relu], three: [conv(256, 3x3, pad = 1), relu] },
        ],
        dropout(0.5),
        conv10: conv(1000, 1x1),
        relu,
        global_avg_pool,
    }
}

/// torchvision: 1,248,424 parameters and 0.82 billion multiply-adds; volumes after `ceil_mode` pools of 54, 27 and 13.
#[test]
fn its_numbers_are_the_published_ones() {
    assert_eq!(SqueezeNet10::PARAMETERS, 1_248_424);
    assert_eq!(SqueezeNet10::MACS, 818_924_576);
    let volume = |name| {
        let layer = SqueezeNet10::LAYERS.iter().find(|layer| layer.name == name);
        layer.expect(name).volume
    };
    assert_eq!(volume("conv1"), [109, 109, 96]);
    assert_eq!(volume("fire2.expand"), [54, 54, 128]);
    assert_eq!(volume("fire4.expand"), [54, 54, 256]);
    assert_eq!(volume("fire8.expand"), [27, 27, 512]);
    assert_eq!(volume("fire9.expand"), [13, 13, 512]);
    assert_eq!(volume("conv10"), [13, 13, 1000]);
    // The first pool reads 109x109x96 and writes 54x54x96: no block needs as much.
    assert_eq!(SqueezeNet10::ARENA_BYTES, 4_562_304 + 1_119_744);
}
