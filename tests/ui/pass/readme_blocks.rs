//! The network of the README, under *Blocks*.
#![deny(warnings)]

convnet::convnet! {
    pub struct ResNet {
        input(32x32x3),
        stem: conv(16, 3x3, pad = 1),
        relu,
        stage1: [residual { conv(16, 3x3, pad = 1), relu, conv(16, 3x3, pad = 1) }, relu] * 2,
        stage2: residual {
            conv(32, 3x3, stride = 2, pad = 1, fit = crop),
            relu,
            conv(32, 3x3, pad = 1),
            shortcut { conv(32, 1x1, stride = 2, fit = crop) },
        },
        relu,
        concat { [conv(16, 1x1)], [conv(8, 1x1), conv(16, 3x3, pad = 1)], [] },
        global_avg_pool,
        scores: fc(10),
    }
}

fn main() {
    let net = ResNet::<f32>::boxed();
    assert_eq!(net.stage2_conv1.filters.len(), 3);
    // 16 and 16 filters beside the 32 that an empty branch hands on.
    let concat = ResNet::LAYERS.iter().find(|layer| layer.word() == "concat");
    assert_eq!(concat.map(|layer| layer.volume), Some([16, 16, 64]));
}
