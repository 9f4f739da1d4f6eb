//! ImageNet, in 2014: nothing but 3x3 filters.

use convnet::convnet;

convnet! {
    /// Simonyan and Zisserman, *Very Deep Convolutional Networks for Large-Scale Image Recognition*
    /// (2014), table 1, column D; CS231n's *VGGNet in detail* lists every volume. 138,357,544
    /// parameters and 15.47 G multiply-adds in torchvision.
    pub(crate) struct Vgg16 {
        input(224x224x3),
        [conv(64, 3x3, pad = 1), relu] * 2,
        max_pool(2x2),
        [conv(128, 3x3, pad = 1), relu] * 2,
        max_pool(2x2),
        [conv(256, 3x3, pad = 1), relu] * 3,
        max_pool(2x2),
        [conv(512, 3x3, pad = 1), relu] * 3,
        max_pool(2x2),
        [conv(512, 3x3, pad = 1), relu] * 3,
        max_pool(2x2),
        [fc(4096), relu, dropout(0.5)] * 2,
        scores: fc(1000),
    }
}

convnet! {
    /// The same paper, column E: 143,667,240 parameters and 19.63 G multiply-adds in torchvision.
    pub(crate) struct Vgg19 {
        input(224x224x3),
        [conv(64, 3x3, pad = 1), relu] * 2,
        max_pool(2x2),
        [conv(128, 3x3, pad = 1), relu] * 2,
        max_pool(2x2),
        [conv(256, 3x3, pad = 1), relu] * 4,
        max_pool(2x2),
        [conv(512, 3x3, pad = 1), relu] * 4,
        max_pool(2x2),
        [conv(512, 3x3, pad = 1), relu] * 4,
        max_pool(2x2),
        [fc(4096), relu, dropout(0.5)] * 2,
        scores: fc(1000),
    }
}
