//! Szegedy et al., *Going Deeper with Convolutions* (2014), table 1: inception (3a) and (3b).
#![deny(warnings)]

use convnet::convnet;

convnet! {
    struct Inception3 {
        input(28x28x192),
        a: concat {
            [conv(64, 1x1), relu],
            [conv(96, 1x1), relu, conv(128, 3x3, pad = 1), relu],
            [conv(16, 1x1), relu, conv(32, 5x5, pad = 2), relu],
            [max_pool(3x3, stride = 1, pad = 1), conv(32, 1x1), relu],
        },
        b: concat {
            [conv(128, 1x1), relu],
            [conv(128, 1x1), relu, conv(192, 3x3, pad = 1), relu],
            [conv(32, 1x1), relu, conv(96, 5x5, pad = 2), relu],
            [max_pool(3x3, stride = 1, pad = 1), conv(64, 1x1), relu],
        },
        max_pool(3x3, stride = 2, fit = pad),
    }
}

fn main() {
    let depths = Inception3::LAYERS.iter().filter(|layer| layer.word() == "concat");
    assert!(depths.map(|layer| layer.volume[2]).eq([256, 480]));
    assert_eq!(Inception3::OUTPUT, [14, 14, 480]);
    // The paper's table: 159 K and 380 K weights; counted: 163,328 and 388,096, and the biases.
    assert_eq!(Inception3::PARAMETERS, 163_328 + 368 + 388_096 + 640);
}
