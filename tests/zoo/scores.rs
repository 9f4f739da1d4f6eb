//! The zoo against PyTorch's own models: with the same weights, the same scores of the same image.
//!
//! Weights are drawn by their place in PyTorch's order, so nothing is stored but scores; `pytorch.py` draws the same,
//! and wrote `expected.rs`.

use crate::expected;
use crate::networks::*;
use convnet::prepare::Prepare;
use convnet::{AnyVolume, Network, Parameters, Prepared, Role};

/// The number of the image, among those of the tensors.
const IMAGE: u32 = 1_000_000;

/// A number from 0 up to 1, of 24 bits.
fn uniform(tensor: u32, place: usize) -> f64 {
    let start = tensor.wrapping_mul(0x9E37_79B9).wrapping_add(1);
    let mut x = start.wrapping_add(place as u32);
    for (shift, factor) in [(16, 0x7FEB_352D_u32), (15, 0x846C_A68B), (16, 1)] {
        x = (x ^ (x >> shift)).wrapping_mul(factor);
    }
    f64::from(x >> 8) / f64::from(1 << 24)
}

/// Every tensor, by the place of each number in PyTorch's `[filters][depth][y][x]`.
fn fill<P: Parameters<Scalar = f32>>(net: &mut P) {
    for (index, tensor) in P::TENSORS.iter().enumerate() {
        let to = net.tensor_mut(index);
        let drawn = |place| uniform(index as u32, place);
        match (tensor.shape, tensor.role) {
            (&[height, width, depth, filters], _) => {
                let line = depth * height * width;
                let scale = (6.0 / line as f64).sqrt();
                for (at, to) in to.iter_mut().enumerate() {
                    let (pixel, d, k) =
                        (at / (depth * filters), at / filters % depth, at % filters);
                    let place = k * line + d * height * width + pixel;
                    *to = (scale * (2.0 * drawn(place) - 1.0)) as f32;
                }
            }
            (_, Role::Gain | Role::Variance(..)) => {
                let drawn = (0..).map(|place| (0.5 + drawn(place)) as f32);
                to.iter_mut().zip(drawn).for_each(|(to, it)| *to = it);
            }
            _ => {
                let drawn = (0..).map(|place| (0.1 * (2.0 * drawn(place) - 1.0)) as f32);
                to.iter_mut().zip(drawn).for_each(|(to, it)| *to = it);
            }
        }
    }
}

/// The largest difference from the expected scores, relative to the largest score.
fn differs<N: Network<Scalar = f32> + Prepare>((some, largest): expected::Expected) {
    let mut net: Box<N> = bytemuck::zeroed_box();
    fill(&mut *net);
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    let [height, width, depth] = N::Input::SHAPE;
    for (at, pixel) in image.as_mut_slice().iter_mut().enumerate() {
        let place = at % depth * height * width + at / depth;
        *pixel = (2.0 * uniform(IMAGE, place) - 1.0) as f32;
    }
    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    let prepared = Prepared::new(&*net);
    let mut packed = prepared.arena();
    let plain = net.forward(&image, &mut arena).as_slice();
    let fast = prepared.forward(&image, &mut packed).as_slice();
    for (how, scores) in [("plain", plain), ("prepared", fast)] {
        let found = scores.iter().step_by(scores.len() / 8);
        let differences = found.zip(some).map(|(a, b)| (a - b).abs());
        let differs = differences.fold(0.0, f32::max) / largest;
        let name = std::any::type_name::<N>();
        println!("{name} {how}: {differs:.1e}");
        assert!(differs <= 1e-5, "{name} {how}: {differs:e}");
        let most = scores.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        assert!(
            (most - largest).abs() <= 1e-5 * largest,
            "{name} {how}: {most}"
        );
    }
}

/// `cargo test --release --test zoo -- --nocapture` prints how far each is from PyTorch.
macro_rules! scores {
    ($($test:ident $net:ident $expected:ident;)*) => {
        $(
            #[test]
            fn $test() {
                differs::<$net>(expected::$expected);
            }
        )*
    };
}

scores! {
    alexnet TorchAlexNet ALEXNET;
    squeezenet_1_0 SqueezeNet10 SQUEEZENET1_0;
    squeezenet_1_1 SqueezeNet11 SQUEEZENET1_1;
    resnet_18 ResNet18 RESNET18;
    resnet_34 ResNet34 RESNET34;
    resnet_50 ResNet50 RESNET50;
    mobilenet_v2 MobileNetV2 MOBILENET_V2;
    mobilenet_v3_small MobileNetV3Small MOBILENET_V3_SMALL;
    mobilenet_v3_large MobileNetV3Large MOBILENET_V3_LARGE;
    mnasnet MnasNet MNASNET1_0;
    efficientnet_b0 EfficientNetB0 EFFICIENTNET_B0;
    densenet_121 DenseNet121 DENSENET121;
    shufflenet_v2 ShuffleNetV2 SHUFFLENET_V2_X1_0;
    inception_v3 InceptionV3 INCEPTION_V3;
    unet UNet UNET;
}
