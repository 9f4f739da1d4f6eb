//! Handwritten digits, on cheques, in 1998.

use convnet::convnet;

convnet! {
    /// LeCun, Bottou, Bengio, Haffner, *Gradient-Based Learning Applied to Document Recognition*
    /// (1998), section II.B, as it is written today: C3 sees all of S2, subsampling learns nothing,
    /// and the output is class scores. 61,706 parameters, as *Dive into Deep Learning* counts them
    /// (section 7.6).
    pub(crate) struct LeNet5 {
        input(32x32x1),
        c1: conv(6, 5x5),
        tanh,
        s2: avg_pool(2x2),
        c3: conv(16, 5x5),
        tanh,
        s4: avg_pool(2x2),
        c5: conv(120, 5x5),
        tanh,
        f6: fc(84),
        tanh,
        scores: fc(10),
    }
}
