//! Keyword spotting by depthwise separable convolutions.

#[cfg(feature = "weights")]
use convnet::weights;
use convnet::{Volume, convnet};

convnet! {
    /// The DS-CNN of "Hello Edge" (Zhang et al., 2017), as MLPerf Tiny runs it, its norms folded: a second of speech
    /// as 49 frames of 10 coefficients, twelve words.
    ///
    /// Frames are rows and coefficients columns, so the input is 10 wide and 49 high, and a filter of "10x4" there
    /// is 4 wide and 10 high. `pad` is TensorFlow's `SAME`: above, below, left, right.
    #[budget(ram = 64 KiB, flash = 96 KiB)]
    pub struct DsCnn {
        input(10x49x1),
        conv1: conv(64, 4x10, stride = 2, pad = (4, 5, 1, 1)),
        relu,
        [depthwise(3x3, pad = 1), relu, conv(64, 1x1), relu] * 4,
        global_avg_pool,
        scores: fc(12),
    }
}

convnet::int8!(DsCnn);

#[cfg(feature = "weights")]
weights! {
    /// Random weights.
    pub static NET: DsCnn = "../../target/weights/ds_cnn.safetensors";
}

#[cfg(feature = "weights")]
convnet::int8_weights! {
    /// Quantised by one image.
    pub static NET8: DsCnn = "../../target/weights/ds_cnn-int8.safetensors";
}

/// A second of speech: 49 rows of 10.
pub static IMAGE: Volume<f32, 49, 10, 1> = Volume(crate::pattern());

/// The same in bytes.
pub static IMAGE8: Volume<i8, 49, 10, 1> = Volume(crate::bytes());
