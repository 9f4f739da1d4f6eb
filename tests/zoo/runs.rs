//! The zoo at work: built in place on the heap, run, and taught a handful of images.

use crate::networks::*;
use convnet::init::Init;
use convnet::loss::{Loss, SoftmaxCrossEntropy};
use convnet::optim::{Adam, Optimizer, Step};
use convnet::{AnyVolume, Network, Real, Rng, Trainable};

fn image<V: AnyVolume<Scalar: Real>>(seed: u64) -> Box<V> {
    let mut image: Box<V> = bytemuck::zeroed_box();
    let mut rng = Rng::new(seed);
    let pixels = image.as_mut_slice().iter_mut();
    pixels.for_each(|pixel| *pixel = V::Scalar::of(rng.uniform()));
    image
}

/// Built in place on the heap, with a stack of 256 KB, and run with random filters.
fn runs<N: Network + 'static>() {
    let run = || {
        let (mut net, mut arena): (Box<N>, Box<N::Arena>) =
            (bytemuck::zeroed_box(), bytemuck::zeroed_box());
        Init::default().fill(&mut *net, 231);
        let scores = net.forward(&image::<N::Input>(1), &mut arena).as_slice();
        assert!(scores.iter().all(|score| score.widen().is_finite()));
        assert!(scores.iter().any(|&score| score != scores[0]));
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(run);
    thread.expect("a thread").join().expect("finite scores");
}

#[test]
fn the_small_ones_run() {
    runs::<LeNet5>();
    runs::<ConvNetJs>();
    runs::<Cifar10Quick>();
}

/// Half a billion to twenty billion multiply-adds each: seconds with an optimised core, minutes without.
#[test]
#[cfg(not(debug_assertions))]
fn the_large_ones_run() {
    runs::<MobileNet>();
    runs::<MobileNetV3Small>();
    runs::<EfficientNetB0>();
    runs::<ShuffleNetV2>();
    runs::<InceptionV3>();
    runs::<UNet>();
    runs::<SqueezeNet10>();
    runs::<SqueezeNet11>();
    runs::<GoogLeNet>();
    runs::<ResNet18>();
    runs::<ResNet34>();
    runs::<AlexNet>();
    runs::<TorchAlexNet>();
    runs::<ZfNet>();
    runs::<Vgg16>();
    runs::<Vgg19>();
}

#[test]
fn the_large_ones_are_built_in_place() {
    fn built<N: Trainable + 'static>() {
        let build = || {
            let (net, arena, tape): (Box<N>, Box<N::Arena>, Box<N::Tape>) = (
                bytemuck::zeroed_box(),
                bytemuck::zeroed_box(),
                bytemuck::zeroed_box(),
            );
            assert!(size_of_val(&*net) > 1 << 20);
            assert!(size_of_val(&*arena) < size_of_val(&*tape));
        };
        let thread = std::thread::Builder::new()
            .stack_size(256 << 10)
            .spawn(build);
        thread
            .expect("a thread")
            .join()
            .expect("no large value on the stack");
    }
    built::<MobileNet>();
    built::<SqueezeNet10>();
    built::<SqueezeNet11>();
    built::<GoogLeNet>();
    built::<ResNet18>();
    built::<ResNet34>();
    built::<AlexNet>();
    built::<TorchAlexNet>();
    built::<ZfNet>();
    built::<Vgg16>();
    built::<Vgg19>();
}

/// CS231n, *Babysitting the learning process*: a network that learns gets a handful of images right,
/// however random they are.
fn overfits<N: Trainable<Scalar = f32>>(steps: u64) {
    const IMAGES: usize = 3;
    let mut net: Box<N> = bytemuck::zeroed_box();
    Init::default().fill(&mut *net, 231);
    let (mut gradient, mut m, mut v): (Box<N>, Box<N>, Box<N>) = (
        bytemuck::zeroed_box(),
        bytemuck::zeroed_box(),
        bytemuck::zeroed_box(),
    );
    let mut tape: Box<N::Tape> = bytemuck::zeroed_box();
    let mut d_scores: Box<N::Output> = bytemuck::zeroed_box();
    let images: Vec<Box<N::Input>> = (0..IMAGES as u64).map(image).collect();
    let loss = SoftmaxCrossEntropy::default();
    let mut losses = Vec::new();
    for count in 0..steps {
        gradient.fill_zero();
        let mut sum = 0.0;
        for (label, image) in images.iter().enumerate() {
            let scores = net.forward_train(image, &mut tape, count).as_slice();
            sum += loss.loss(scores, label, d_scores.as_mut_slice()).unwrap();
            let share = 1.0 / IMAGES as f32;
            d_scores.as_mut_slice().iter_mut().for_each(|d| *d *= share);
            net.backward(image, None, &mut tape, &d_scores, &mut gradient);
        }
        losses.push(sum / IMAGES as f32);
        let step = Step { rate: 3e-3, count };
        Adam::default()
            .step(step, &mut *net, &gradient, &mut [&mut *m, &mut *v])
            .unwrap();
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(first > 1.0 && last < 0.1, "{first} to {last}");
}

#[test]
fn the_small_ones_overfit_a_handful_of_images() {
    overfits::<LeNet5>(40);
    overfits::<ConvNetJs>(25);
}
