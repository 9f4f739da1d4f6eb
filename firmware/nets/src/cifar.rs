//! Three networks for images of 32x32x3, from 0.95 to 12.3 million multiply-adds.

#[cfg(feature = "weights")]
use convnet::weights;
use convnet::{Volume, convnet};

convnet! {
    /// CS231n's example network for CIFAR-10.
    #[row_by_row]
    #[budget(ram = 16 KiB, flash = 128 KiB)]
    pub struct Net0 {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

convnet! {
    /// Three convolutions, pooled with overlap.
    #[row_by_row]
    pub struct Net1 {
        input(32x32x3),
        conv1: conv(32, 5x5, pad = 2),
        relu,
        max_pool(3x3, stride = 2, fit = pad),
        conv2: conv(16, 5x5, pad = 2),
        relu,
        max_pool(3x3, stride = 2, fit = pad),
        conv3: conv(32, 5x5, pad = 2),
        relu,
        max_pool(3x3, stride = 2, fit = pad),
        scores: fc(10),
    }
}

convnet! {
    /// As [`Net1`], with more filters.
    #[row_by_row]
    pub struct Net2 {
        input(32x32x3),
        conv1: conv(32, 5x5, pad = 2),
        relu,
        max_pool(3x3, stride = 2, fit = pad),
        conv2: conv(32, 5x5, pad = 2),
        relu,
        max_pool(3x3, stride = 2, fit = pad),
        conv3: conv(64, 5x5, pad = 2),
        relu,
        max_pool(3x3, stride = 2, fit = pad),
        scores: fc(10),
    }
}

convnet::int8!(Net0);
convnet::int8!(Net1);
convnet::int8!(Net2);

#[cfg(feature = "weights")]
weights! {
    /// Random weights.
    pub static NET0: Net0 = "../../target/weights/net0.safetensors";
}

#[cfg(feature = "weights")]
weights! {
    /// Random weights.
    pub static NET1: Net1 = "../../target/weights/net1.safetensors";
}

#[cfg(feature = "weights")]
weights! {
    /// Random weights.
    pub static NET2: Net2 = "../../target/weights/net2.safetensors";
}

/// An image.
pub type Image = Volume<f32, 32, 32, 3>;

/// A pattern without order, from -1 to 1.
pub static IMAGE: Image = Volume(crate::pattern());
