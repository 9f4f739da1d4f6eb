//! Cross-layer equalisation: the same scores in `f32`, finer steps in bytes.
#![cfg(feature = "train")]

use convnet::int8::{Int8, Quantize, QuantizeError};
use convnet::{Parameters, Rng, Role, Volume, convnet, int8};

convnet! {
    /// As a MobileNet, with clamps that mind no factor; in the end a layer that sees everything.
    pub struct Mobile {
        input(10x9x3),
        conv1: conv(8, 3x3, pad = 1, bias = none), batch_norm, relu,
        depthwise1: depthwise(3x3, pad = 1), leaky_relu(0.25),
        conv2: conv(12, 1x1, groups = 2), max_pool(2x2, fit = crop),
        depthwise2: depthwise(3x3, pad = 1, bias = none), batch_norm, relu,
        scores: fc(5),
    }
}
int8!(Mobile);

convnet! {
    /// Nothing that may be changed: a clamp at 6, a norm without factors, a volume that two layers read.
    pub struct Other {
        input(6x6x3),
        conv(4, 1x1), relu6,
        conv(4, 1x1), batch_norm(affine = none), relu,
        depthwise(3x3, pad = 1), relu,
        residual { conv(4, 1x1), sigmoid },
        global_avg_pool,
        scores: fc(3),
    }
}
int8!(Other);

fn images<const H: usize, const W: usize>(count: usize) -> Vec<Box<Volume<f32, H, W, 3>>> {
    let mut rng = Rng::new(231);
    let image = |_| {
        let mut image = Volume::boxed();
        let draw = |v: &mut f32| *v = rng.uniform() as f32;
        image.as_mut_slice().iter_mut().for_each(draw);
        image
    };
    (0..count).map(image).collect()
}

/// A network whose filters differ by three powers of ten, as those of a depthwise do that has learned.
fn uneven() -> Box<Mobile> {
    let mut net = Mobile::random(7);
    for (index, tensor) in Mobile::<f32>::TENSORS.iter().enumerate() {
        let by = |at: usize| 10f32.powi((at * 7 % 4) as i32 - 2);
        let uneven = matches!(tensor.role, Role::Gain) || tensor.name == "depthwise1.filters";
        if uneven {
            let all = net.tensor_mut(index).iter_mut().enumerate();
            all.for_each(|(at, w)| *w *= by(at % tensor.shape[tensor.shape.len() - 1]));
        }
    }
    net
}

/// Signal to noise of the scores, in decibels.
fn decibels(net: &Mobile, images: &[Box<Volume<f32, 9, 10, 3>>]) -> f64 {
    let twin = net.quantize(images).unwrap();
    twin.report(net, images).lines.last().unwrap().decibels
}

#[test]
fn scores_stay_to_the_bit_and_bytes_come_nearer() {
    let mut net = uneven();
    let (images, mut arena) = (images(20), Mobile::arena());
    let mut scores = |net: &Mobile| -> Vec<_> {
        let all = images.iter();
        all.map(|image| net.forward(image, &mut arena).clone())
            .collect()
    };
    let (before, lost) = (scores(&net), decibels(&net, &images));
    assert_eq!(net.equalize(&images), Ok(4));
    assert_eq!(scores(&net), before);
    let left = decibels(&net, &images);
    assert!(left > lost + 6.0, "{lost} dB became {left} dB");
}

#[test]
fn what_minds_a_factor_is_left_alone() {
    let mut net = Other::random(7);
    let all = |net: &Other| -> Vec<Vec<f32>> {
        let tensors = 0..Other::<f32>::TENSORS.len();
        tensors.map(|index| net.tensor(index).to_vec()).collect()
    };
    let before = all(&net);
    assert_eq!(net.equalize(&images(4)), Ok(0));
    assert_eq!(all(&net), before);
    assert_eq!(net.equalize::<&_>(&[]), Err(QuantizeError::NoImages));
    let _: Box<Int8<Other>> = net.quantize(&images(4)).unwrap();
}
