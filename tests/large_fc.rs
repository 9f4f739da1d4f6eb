//! Large `fc`s, which take several images at once, against what they are: a `conv` as large as its input,
//! image by image.
#![cfg(feature = "train")]

use convnet::data::Images;
use convnet::generated::kernel::MICRO_BATCH;
use convnet::generated::moments::{merge_backward, merge_forward};
use convnet::generated::network::{Backward, Forward};
use convnet::optim::Sgd;
use convnet::prepare::{Precision, Prepare, Prepared};
use convnet::train::{Progress, Trainer};
use convnet::{AnyVolume, OnHeap, Parameters, Real, Rng, Trainable, convnet};

/// 512·256: as few filters as a large `fc` has.
const HIDDEN: usize = 256;
const FEW: usize = 6;

convnet! {
    /// First, in a block where gradients are summed, and last.
    struct Large {
        input(16x16x2),
        fc(256),
        sigmoid,
        residual { fc(512), sigmoid, fc(256) },
        dropout(0.3),
        scores: fc(512),
    }
}

convnet! {
    struct LargeTwin {
        input(16x16x2),
        conv(256, 16x16),
        sigmoid,
        residual { conv(512, 1x1), sigmoid, conv(256, 1x1) },
        dropout(0.3),
        scores: conv(512, 1x1),
    }
}

convnet! {
    /// Only the compiler knows which is large; and all images wait for each other in between.
    struct Named {
        input(16x16x2),
        sigmoid,
        fc1: fc(HIDDEN),
        batch_norm,
        sigmoid,
        fc2: fc(FEW),
        scores: fc(8),
    }
}

convnet! {
    struct NamedTwin {
        input(16x16x2),
        sigmoid,
        fc1: conv(256, 16x16),
        batch_norm,
        sigmoid,
        fc2: conv(6, 1x1),
        scores: conv(8, 1x1),
    }
}

convnet! {
    /// 512·20 filters: few, and many beside 48 activations.
    struct Small { input(16x16x2), fc(20), sigmoid, scores: fc(8) }
}

convnet! {
    struct SmallTwin { input(16x16x2), conv(20, 16x16), sigmoid, scores: conv(8, 1x1) }
}

convnet! {
    /// 4096·4 filters: as many as there are activations.
    struct Deep { input(16x16x2), [conv(16, 1x1), sigmoid] * 2, scores: fc(4) }
}

convnet! {
    /// One is inside, behind layers without parameters, and so is a batch norm.
    struct Outer { input(16x16x2), sigmoid, inner: network(Named), scores: fc(8) }
}

convnet! {
    struct OuterTwin { input(16x16x2), sigmoid, inner: network(NamedTwin), scores: conv(8, 1x1) }
}

convnet! {
    /// Few outputs of many inputs; and one that a norm is folded into, on a shortcut.
    struct Narrow {
        input(16x16x2),
        residual { fc(20), relu, fc(4096), shortcut { fc(4096), batch_norm } },
        relu,
        fc(50),
        relu6,
    }
}

#[test]
fn only_a_large_fc_is_a_place_to_meet() {
    assert_eq!(
        (Large::<f32>::SEGMENTS, Large::<f32>::EXCHANGES),
        (1 + 4, false)
    );
    assert_eq!(
        (Named::<f32>::SEGMENTS, Named::<f32>::EXCHANGES),
        (1 + 2, true)
    );
    assert_eq!(
        (Outer::<f32>::SEGMENTS, Outer::<f32>::EXCHANGES),
        (1 + 2, true)
    );
    assert_eq!(
        (LargeTwin::<f32>::SEGMENTS, LargeTwin::<f32>::EXCHANGES),
        (1, false)
    );
    assert_eq!(NamedTwin::<f32>::SEGMENTS, 1 + 1);
    assert_eq!(Small::<f32>::SEGMENTS, 1 + 1);
    assert_eq!(Deep::<f32>::SEGMENTS, 1);
}

#[test]
fn images_that_meet_are_computed_as_if_each_were_alone() {
    check::<Large<f64>, LargeTwin<f64>>(1e-12);
    check::<Large<f32>, LargeTwin<f32>>(1e-4);
    check::<Small<f64>, SmallTwin<f64>>(1e-12);
    check::<Small<f32>, SmallTwin<f32>>(1e-4);
    check::<Named<f64>, NamedTwin<f64>>(1e-11);
    check::<Named<f32>, NamedTwin<f32>>(1e-3);
    check::<Outer<f64>, OuterTwin<f64>>(1e-11);
    check::<Outer<f32>, OuterTwin<f32>>(1e-3);
}

#[test]
fn a_gradient_is_whole_after_the_segment_that_is_said_and_not_before() {
    struct Image<N: Trainable> {
        x: Box<N::Input>,
        tape: Box<N::Tape>,
        dy: Box<N::Output>,
    }
    fn check<N: Trainable<Scalar = f64>>(net: &N) {
        let (mut rng, mut gradient) = (Rng::new(5), bytemuck::zeroed_box::<N>());
        let mut images: Vec<Image<N>> = Vec::new();
        for _ in 0..3 {
            let mut image = Image::<N> {
                x: bytemuck::zeroed_box(),
                tape: bytemuck::zeroed_box(),
                dy: bytemuck::zeroed_box(),
            };
            let Image { x, dy, .. } = &mut image;
            let numbers = x.as_mut_slice().iter_mut().chain(dy.as_mut_slice());
            numbers.for_each(|number| *number = rng.normal());
            images.push(image);
        }
        for segment in 0..N::SEGMENTS {
            if let Some(before) = segment.checked_sub(1) {
                let ends = images.iter_mut().map(|image| Forward {
                    input: &*image.x,
                    tape: &mut *image.tape,
                });
                net.forward_fc(before, &mut ends.collect::<Vec<_>>());
                merge_forward(&mut images, |image| N::moments(&mut image.tape, before));
            }
            for image in &mut images {
                net.forward_segment(segment, &image.x, &mut image.tape, 0);
            }
        }
        let mut found = Vec::new();
        for segment in (0..N::SEGMENTS).rev() {
            for Image { x, tape, dy } in &mut images {
                net.backward_segment(segment, x, None, tape, dy, &mut gradient);
            }
            if let Some(before) = segment.checked_sub(1) {
                let ends = images.iter_mut().map(|image| Backward {
                    input: &*image.x,
                    d_input: None,
                    tape: &mut *image.tape,
                    d_output: &*image.dy,
                });
                net.backward_fc(before, &mut ends.collect::<Vec<_>>(), &mut gradient);
            }
            let tensors = (0..N::TENSORS.len()).map(|index| gradient.tensor(index).to_vec());
            found.push(tensors.collect::<Vec<_>>());
            if let Some(before) = segment.checked_sub(1) {
                merge_backward(&mut images, |image| N::moments(&mut image.tape, before));
            }
        }
        for (index, tensor) in N::TENSORS.iter().enumerate() {
            let whole = gradient.tensor(index);
            let first = found.iter().position(|found| found[index] == whole);
            let said = N::SEGMENTS - 1 - N::whole_after(index);
            assert_eq!(first, Some(said), "{}", tensor.name);
        }
    }
    check(&*Large::<f64>::random(1));
    check(&*Named::<f64>::random(1));
    check(&*Outer::<f64>::random(1));
    check(&*Narrow::<f64>::random(1));
    check(&*Small::<f64>::random(1));
}

/// One step of training, with shards of more images than go together, and of fewer; and a single image.
fn check<A, B>(tolerance: f64)
where
    A: Trainable + Send + Sync,
    B: Trainable<Scalar = A::Scalar> + Send + Sync,
{
    for (images, shards) in [(MICRO_BATCH + 3, 1), (7, 3), (2, 1)] {
        let (mut a, mut b) = (random::<A>(), random::<B>());
        train(&mut *a, images, shards, 1);
        train(&mut *b, images, shards, 1);
        assert_close(&parameters(&*a), &parameters(&*b), tolerance);
        for threads in [2, 3] {
            let mut other = random::<A>();
            train(&mut *other, images, shards, threads);
            let same = parameters(&*other) == parameters(&*a);
            assert!(
                same,
                "{threads} threads, {images} images in {shards} shards"
            );
        }
    }
    assert_close(&alone::<A>(), &alone::<B>(), tolerance);
}

/// Whoever computes an image, and with which others: prepared, it is the same to the bit.
#[test]
fn prepared_too() {
    const {
        assert!(
            Large::<f32>::MICRO_BATCHES
                && Named::<f32>::MICRO_BATCHES
                && Narrow::<f32>::MICRO_BATCHES
        )
    };
    // Its large `fc` is inside, and takes one image at a time.
    const { assert!(!Outer::<f32>::MICRO_BATCHES && !LargeTwin::<f32>::MICRO_BATCHES) };
    for precision in [Precision::default(), Precision::FASTEST] {
        check_prepared::<Large<f32>>(precision);
        check_prepared::<Large<f64>>(precision);
        check_prepared::<Named<f32>>(precision);
        check_prepared::<Named<f64>>(precision);
        check_prepared::<Outer<f32>>(precision);
        check_prepared::<Narrow<f32>>(precision);
    }
}

fn check_prepared<N: Prepare + Trainable + Sync>(precision: Precision) {
    let (net, mut rng) = (random::<N>(), Rng::new(5));
    let images = (0..2 * MICRO_BATCH + 1).map(|_| {
        let mut image: Box<N::Input> = bytemuck::zeroed_box();
        let pixels = image.as_mut_slice().iter_mut();
        pixels.for_each(|x| *x = N::Scalar::of(rng.normal()));
        image
    });
    let (images, fast) = (images.collect::<Vec<_>>(), Prepared::with(&*net, precision));
    let mut arena = fast.arena();
    let alone = images.iter().map(|image| {
        let scores = fast.forward(image, &mut arena);
        scores.as_slice().to_vec()
    });
    let alone: Vec<_> = alone.collect();
    assert!(alone[0] != alone[1]);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().expect("threads");
        for count in [0, 1, 5, images.len()] {
            let batch = pool.install(|| fast.forward_batch(&images[..count]));
            let batch = batch.iter().map(|scores| scores.as_slice().to_vec());
            assert!(batch.eq(alone[..count].iter().cloned()), "{count} images");
        }
    }
}

fn random<N: Trainable>() -> Box<N> {
    let (mut net, mut rng): (Box<N>, _) = (bytemuck::zeroed_box(), Rng::new(3));
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        let values = net.tensor_mut(index).iter_mut();
        let spread = match tensor.role.is_learned() {
            true => 0.1,
            false => 0.0, // running statistics
        };
        values.for_each(|w| *w = N::Scalar::of(spread * rng.normal()));
    }
    net
}

fn train<N: Trainable + Send + Sync>(net: &mut N, images: usize, shards: usize, threads: usize) {
    let (count, mut rng) = (images, Rng::new(7));
    let pixels = (0..images * 16 * 16 * 2).map(|_| rng.below(256) as u8);
    let labels = (0..images).map(|i| i % 8);
    let classes = N::Output::SHAPE.iter().product();
    let images = Images::new([16, 16, 2], classes, pixels.collect(), labels.collect()).unwrap();
    let trainer = Trainer::new(Sgd::default())
        .epochs(1)
        .batch_size(count)
        .shards(shards)
        .learning_rate(0.5);
    let trainer = trainer.threads(threads).progress(Progress::Silent);
    trainer.fit(net, &images).unwrap();
}

fn parameters<N: Parameters>(net: &N) -> Vec<f64> {
    let tensors = (0..N::TENSORS.len()).flat_map(|index| net.tensor(index));
    tensors.map(|w| w.widen()).collect()
}

/// What a user computes of one image: scores, and all gradients.
fn alone<N: Trainable>() -> Vec<f64> {
    let (net, mut rng) = (random::<N>(), Rng::new(11));
    let (mut x, mut dx): (Box<N::Input>, Box<N::Input>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let (mut tape, mut dy): (Box<N::Tape>, Box<N::Output>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    for v in x.as_mut_slice().iter_mut().chain(dy.as_mut_slice()) {
        *v = N::Scalar::of(rng.normal());
    }
    let mut gradient: Box<N> = bytemuck::zeroed_box();
    let scores = net.forward_train(&x, &mut tape, 5);
    let mut all: Vec<f64> = scores.as_slice().iter().map(|y| y.widen()).collect();
    net.backward(&x, Some(&mut dx), &mut tape, &dy, &mut gradient);
    all.extend(dx.as_slice().iter().map(|dx| dx.widen()));
    all.extend(parameters(&*gradient));
    all
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0, |largest: f64, b| largest.max(b.abs()));
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    let worst = off.fold(0.0, f64::max);
    assert!(
        largest > 0.0 && worst <= tolerance * largest,
        "{worst} of {largest}"
    );
    assert!(a.iter().all(|a| a.is_finite()));
}
