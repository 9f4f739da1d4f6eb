//! Is there a person? MobileNet, a quarter as deep, on images of 96x96.

#[cfg(feature = "weights")]
use convnet::weights;
use convnet::{Volume, convnet};

convnet! {
    /// MobileNetV1 (Howard et al., 2017) of width .25, its norms folded, with the two classes of MLPerf Tiny's visual
    /// wake words.
    ///
    /// `pad = (0, 1)` is TensorFlow's `SAME` where the stride is 2: no zeros before, one row and column after.
    #[budget(ram = 224 KiB, flash = 864 KiB)]
    pub struct MobileNet {
        input(96x96x3),
        conv1: conv(8, 3x3, stride = 2, pad = (0, 1)),
        relu6,
        depthwise(3x3, pad = 1),
        relu6,
        conv(16, 1x1),
        relu6,
        depthwise(3x3, stride = 2, pad = (0, 1)),
        relu6,
        conv(32, 1x1),
        relu6,
        depthwise(3x3, pad = 1),
        relu6,
        conv(32, 1x1),
        relu6,
        depthwise(3x3, stride = 2, pad = (0, 1)),
        relu6,
        conv(64, 1x1),
        relu6,
        depthwise(3x3, pad = 1),
        relu6,
        conv(64, 1x1),
        relu6,
        depthwise(3x3, stride = 2, pad = (0, 1)),
        relu6,
        conv(128, 1x1),
        relu6,
        [depthwise(3x3, pad = 1), relu6, conv(128, 1x1), relu6] * 5,
        depthwise(3x3, stride = 2, pad = (0, 1)),
        relu6,
        conv(256, 1x1),
        relu6,
        depthwise(3x3, pad = 1),
        relu6,
        conv(256, 1x1),
        relu6,
        global_avg_pool,
        scores: fc(2),
    }
}

convnet::int8!(MobileNet);

#[cfg(feature = "weights")]
weights! {
    /// Random weights.
    pub static NET: MobileNet = "../../target/weights/mobilenet.safetensors";
}

#[cfg(feature = "weights")]
convnet::int8_weights! {
    /// Quantised by one image.
    pub static NET8: MobileNet = "../../target/weights/mobilenet-int8.safetensors";
}

/// A pattern without order, from -1 to 1.
pub static IMAGE: Volume<f32, 96, 96, 3> = Volume(crate::pattern());

/// The same in bytes.
pub static IMAGE8: Volume<i8, 96, 96, 3> = Volume(crate::bytes());
