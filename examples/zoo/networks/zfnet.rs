//! ImageNet, in 2013.

use convnet::convnet;

convnet! {
    /// Zeiler and Fergus, *Visualizing and Understanding Convolutional Networks* (2013), figure 3,
    /// which prints every side: 224, 110, 55, 26, 13, 13, 13, 13, 6. Its contrast normalisation,
    /// which learns nothing, is an `lrn` here. The paper prints no count of parameters.
    pub(crate) struct ZfNet {
        input(224x224x3),
        conv1: conv(96, 7x7, stride = 2, pad = 1, fit = crop),
        relu,
        pool1: max_pool(3x3, stride = 2, fit = pad),
        lrn(5),
        conv2: conv(256, 5x5, stride = 2),
        relu,
        pool2: max_pool(3x3, stride = 2, fit = pad),
        lrn(5),
        conv3: conv(384, 3x3, pad = 1),
        relu,
        conv4: conv(384, 3x3, pad = 1),
        relu,
        conv5: conv(256, 3x3, pad = 1),
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
