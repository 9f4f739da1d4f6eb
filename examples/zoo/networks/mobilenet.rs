//! ImageNet on a phone, in 2017.

use convnet::convnet;

convnet! {
    /// Howard et al., *MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
    /// Applications* (2017), table 1: 569 M multiply-adds. Keras's `MobileNet` has 4,231,976
    /// parameters that are trained and 21,888 statistics that are not.
    ///
    /// With TensorFlow's padding, a zero below and right of a stride of 2, everything comes out
    /// even; with PyTorch's `pad = 1` those layers need `fit = crop`.
    pub(crate) struct MobileNet {
        input(224x224x3),
        conv(32, 3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(64, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(128, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(128, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(256, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(256, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(512, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        [
            depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
            conv(512, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        ] * 5,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(1024, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(1024, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        global_avg_pool,
        dropout(0.001),
        scores: fc(1000),
    }
}
