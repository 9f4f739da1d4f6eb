//! The networks that are measured.

use convnet::convnet;

convnet! {
    /// CS231n's example network for CIFAR-10.
    pub(crate) struct Cifar {
        input(32x32x3), conv(12, 5x5, pad = 2), relu, max_pool(2x2, stride = 2), fc(10),
    }
}

convnet! {
    /// LeNet-5, with relu and max pooling.
    pub(crate) struct LeNet {
        input(28x28x1),
        conv(6, 5x5, pad = 2), relu, max_pool(2x2, stride = 2),
        conv(16, 5x5), relu, max_pool(2x2, stride = 2),
        fc(120), relu, fc(84), relu, fc(10),
    }
}

convnet! {
    /// A small VGG for CIFAR-10.
    pub(crate) struct TinyVgg {
        input(32x32x3),
        [conv(32, 3x3, pad = 1), relu] * 2, max_pool(2x2, stride = 2),
        [conv(64, 3x3, pad = 1), relu] * 2, max_pool(2x2, stride = 2),
        [conv(128, 3x3, pad = 1), relu] * 2, max_pool(2x2, stride = 2),
        fc(256), relu, fc(10),
    }
}

convnet! {
    /// Krizhevsky's network in a single tower.
    pub(crate) struct AlexNet {
        input(227x227x3),
        conv(96, 11x11, stride = 4), relu, max_pool(3x3, stride = 2),
        conv(256, 5x5, pad = 2), relu, max_pool(3x3, stride = 2),
        [conv(384, 3x3, pad = 1), relu] * 2,
        conv(256, 3x3, pad = 1), relu, max_pool(3x3, stride = 2),
        [fc(4096), relu] * 2, fc(1000),
    }
}

convnet! {
    /// VGG-16.
    pub(crate) struct Vgg16 {
        input(224x224x3),
        [conv(64, 3x3, pad = 1), relu] * 2, max_pool(2x2, stride = 2),
        [conv(128, 3x3, pad = 1), relu] * 2, max_pool(2x2, stride = 2),
        [conv(256, 3x3, pad = 1), relu] * 3, max_pool(2x2, stride = 2),
        [conv(512, 3x3, pad = 1), relu] * 3, max_pool(2x2, stride = 2),
        [conv(512, 3x3, pad = 1), relu] * 3, max_pool(2x2, stride = 2),
        [fc(4096), relu] * 2, fc(1000),
    }
}

convnet! { pub(crate) struct AlexNetConv1 { input(227x227x3), conv(96, 11x11, stride = 4) } }
convnet! { pub(crate) struct Conv64 { input(56x56x64), conv(64, 3x3, pad = 1) } }
convnet! { pub(crate) struct Conv128 { input(28x28x128), conv(128, 3x3, pad = 1) } }
convnet! { pub(crate) struct Conv256 { input(14x14x256), conv(256, 3x3, pad = 1) } }
convnet! { pub(crate) struct Conv512 { input(7x7x512), conv(512, 3x3, pad = 1) } }
convnet! { pub(crate) struct Pointwise { input(14x14x256), conv(256, 1x1) } }

convnet! {
    /// MobileNet v1 for images of 96x96, every layer with a quarter of its filters.
    pub(crate) struct MobileNet25 {
        input(96x96x3),
        conv(8, 3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(16, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(32, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(32, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(64, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(64, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(128, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        [
            depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
            conv(128, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        ] * 5,
        depthwise(3x3, stride = 2, pad = (0, 1), bias = none), batch_norm(eps = 1e-3), relu6,
        conv(256, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        depthwise(3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu6,
        conv(256, 1x1, bias = none), batch_norm(eps = 1e-3), relu6,
        global_avg_pool,
        fc(1000),
    }
}
