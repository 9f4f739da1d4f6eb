//! ImageNet, in 2012.

use convnet::convnet;

convnet! {
    /// Krizhevsky, Sutskever, Hinton, *ImageNet Classification with Deep Convolutional Neural
    /// Networks* (2012): two halves, one a GPU, that meet in conv3 and in the fcs. The paper prints
    /// an input of 224, which does not fit; CS231n and Caffe read it as 227. Its α of 10⁻⁴ is not
    /// divided by the size, so it is 5·10⁻⁴ here.
    ///
    /// 60,965,224 parameters and 724,406,816 multiply-adds, as Caffe's `bvlc_alexnet` has.
    pub(crate) struct AlexNet {
        input(227x227x3),
        conv1: conv(96, 11x11, stride = 4),
        relu,
        lrn(5, alpha = 5e-4, k = 2.0),
        pool1: max_pool(3x3, stride = 2),
        conv2: conv(256, 5x5, pad = 2, groups = 2),
        relu,
        lrn(5, alpha = 5e-4, k = 2.0),
        pool2: max_pool(3x3, stride = 2),
        conv3: conv(384, 3x3, pad = 1),
        relu,
        conv4: conv(384, 3x3, pad = 1, groups = 2),
        relu,
        conv5: conv(256, 3x3, pad = 1, groups = 2),
        relu,
        pool5: max_pool(3x3, stride = 2),
        fc6: fc(4096),
        relu,
        dropout(0.5),
        fc7: fc(4096),
        relu,
        dropout(0.5),
        scores: fc(1000),
    }
}

convnet! {
    /// Krizhevsky, *One weird trick for parallelizing convolutional neural networks* (2014), as
    /// torchvision has it: 61,100,840 parameters, 0.71 G multiply-adds.
    pub(crate) struct TorchAlexNet {
        input(224x224x3),
        conv1: conv(64, 11x11, stride = 4, pad = 2, fit = crop),
        relu,
        pool1: max_pool(3x3, stride = 2),
        conv2: conv(192, 5x5, pad = 2),
        relu,
        pool2: max_pool(3x3, stride = 2),
        conv3: conv(384, 3x3, pad = 1),
        relu,
        conv4: conv(256, 3x3, pad = 1),
        relu,
        conv5: conv(256, 3x3, pad = 1),
        relu,
        pool5: max_pool(3x3, stride = 2),
        dropout(0.5),
        fc6: fc(4096),
        relu,
        dropout(0.5),
        fc7: fc(4096),
        relu,
        scores: fc(1000),
    }
}
