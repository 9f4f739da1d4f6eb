//! A small ResNet: He et al., *Deep Residual Learning* (2015), section 4.2, with n = 1.
#![deny(warnings)]

use convnet::convnet;

convnet! {
    struct ResNet8 {
        input(32x32x3),
        stem: conv(16, 3x3, pad = 1),
        relu,
        stage1: [residual { conv(16, 3x3, pad = 1), relu, conv(16, 3x3, pad = 1) }, relu],
        stage2: [
            residual {
                conv(32, 3x3, stride = 2, pad = 1, fit = crop),
                relu,
                conv(32, 3x3, pad = 1),
                shortcut { conv(32, 1x1, stride = 2, fit = crop) },
            },
            relu,
        ],
        stage3: [
            residual {
                conv(64, 3x3, stride = 2, pad = 1, fit = crop),
                relu,
                conv(64, 3x3, pad = 1),
                shortcut { conv(64, 1x1, stride = 2, fit = crop) },
            },
            relu,
        ],
        global_avg_pool,
        scores: fc(10),
    }
}

fn main() {
    // 3x3 filters: 3·16, 2·16·16, 16·32 + 32·32, 32·64 + 64·64; 1x1: 16·32, 32·64; fc: 64·10.
    let weights = 9 * (3 * 16 + 2 * 16 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64);
    let biases = 3 * 16 + 3 * 32 + 3 * 64 + 10;
    assert_eq!(ResNet8::PARAMETERS, weights + 16 * 32 + 32 * 64 + 640 + biases);
    // The first block's input waits while its second conv reads and writes: three of 32x32x16.
    assert_eq!(ResNet8::ARENA_BYTES, 3 * 32 * 32 * 16 * 4);
    let net = ResNet8::<f32>::boxed();
    assert_eq!(net.stage2_residual1_shortcut_conv1.bias.len(), 32);
}
