//! ImageNet, in 2015: layers learn what to add to their input.

use convnet::convnet;

convnet! {
    /// He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition* (2015), table 1, the
    /// column of 18 layers, as torchvision has it (projections where the volume changes): 11,689,512
    /// parameters, 1.81 G multiply-adds.
    pub(crate) struct ResNet18 {
        input(224x224x3),
        stem: [
            conv(64, 7x7, stride = 2, pad = 3, fit = crop, bias = none),
            batch_norm,
            relu,
            max_pool(3x3, stride = 2, pad = 1, fit = crop),
        ],
        layer1: [
            residual {
                conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
                conv(64, 3x3, pad = 1, bias = none), batch_norm,
            },
            relu,
        ] * 2,
        layer2: [
            residual {
                conv(128, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu,
                conv(128, 3x3, pad = 1, bias = none), batch_norm,
                shortcut { conv(128, 1x1, stride = 2, fit = crop, bias = none), batch_norm },
            },
            relu,
            residual {
                conv(128, 3x3, pad = 1, bias = none), batch_norm, relu,
                conv(128, 3x3, pad = 1, bias = none), batch_norm,
            },
            relu,
        ],
        layer3: [
            residual {
                conv(256, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu,
                conv(256, 3x3, pad = 1, bias = none), batch_norm,
                shortcut { conv(256, 1x1, stride = 2, fit = crop, bias = none), batch_norm },
            },
            relu,
            residual {
                conv(256, 3x3, pad = 1, bias = none), batch_norm, relu,
                conv(256, 3x3, pad = 1, bias = none), batch_norm,
            },
            relu,
        ],
        layer4: [
            residual {
                conv(512, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu,
                conv(512, 3x3, pad = 1, bias = none), batch_norm,
                shortcut { conv(512, 1x1, stride = 2, fit = crop, bias = none), batch_norm },
            },
            relu,
            residual {
                conv(512, 3x3, pad = 1, bias = none), batch_norm, relu,
                conv(512, 3x3, pad = 1, bias = none), batch_norm,
            },
            relu,
        ],
        global_avg_pool,
        scores: fc(1000),
    }
}

convnet! {
    /// The same table, 34 layers: 21,797,672 parameters, 3.66 G multiply-adds in torchvision.
    pub(crate) struct ResNet34 {
        input(224x224x3),
        stem: [
            conv(64, 7x7, stride = 2, pad = 3, fit = crop, bias = none),
            batch_norm,
            relu,
            max_pool(3x3, stride = 2, pad = 1, fit = crop),
        ],
        layer1: [
            residual {
                conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
                conv(64, 3x3, pad = 1, bias = none), batch_norm,
            },
            relu,
        ] * 3,
        layer2: [
            residual {
                conv(128, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu,
                conv(128, 3x3, pad = 1, bias = none), batch_norm,
                shortcut { conv(128, 1x1, stride = 2, fit = crop, bias = none), batch_norm },
            },
            relu,
            [
                residual {
                    conv(128, 3x3, pad = 1, bias = none), batch_norm, relu,
                    conv(128, 3x3, pad = 1, bias = none), batch_norm,
                },
                relu,
            ] * 3,
        ],
        layer3: [
            residual {
                conv(256, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu,
                conv(256, 3x3, pad = 1, bias = none), batch_norm,
                shortcut { conv(256, 1x1, stride = 2, fit = crop, bias = none), batch_norm },
            },
            relu,
            [
                residual {
                    conv(256, 3x3, pad = 1, bias = none), batch_norm, relu,
                    conv(256, 3x3, pad = 1, bias = none), batch_norm,
                },
                relu,
            ] * 5,
        ],
        layer4: [
            residual {
                conv(512, 3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm, relu,
                conv(512, 3x3, pad = 1, bias = none), batch_norm,
                shortcut { conv(512, 1x1, stride = 2, fit = crop, bias = none), batch_norm },
            },
            relu,
            [
                residual {
                    conv(512, 3x3, pad = 1, bias = none), batch_norm, relu,
                    conv(512, 3x3, pad = 1, bias = none), batch_norm,
                },
                relu,
            ] * 2,
        ],
        global_avg_pool,
        scores: fc(1000),
    }
}
