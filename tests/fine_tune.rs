//! Fine-tuning: a network learns with what int8 makes of its numbers in view.
#![cfg(feature = "train")]

use convnet::data::{self, Images, Samples};
use convnet::int8::{Int8, Parameters as _, Quantize, Settings};
use convnet::loss::{Loss, SoftmaxCrossEntropy};
use convnet::optim::{Adam, Sgd};
use convnet::train::{Progress, Trainer};
use convnet::{Parameters, Role, Volume, convnet, int8};

convnet! {
    /// Norms to fold, a block, slices, pools, a table.
    pub struct Digits {
        input(8x8x1),
        conv1: conv(8, 3x3, pad = 1),
        batch_norm,
        relu,
        residual { conv(8, 3x3, pad = 1), batch_norm },
        relu6,
        depthwise(3x3, pad = 1),
        batch_norm,
        relu,
        max_pool(2x2),
        concat { [conv(8, 1x1), hard_swish], [avg_pool(3x3, pad = 1, stride = 1)] },
        scores: fc(10),
    }
}
int8!(Digits);

fn digits() -> Images {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz");
    data::digits(path).unwrap()
}

fn image(set: &impl Samples, index: usize) -> Box<Volume<f32, 8, 8, 1>> {
    let mut image = Volume::boxed();
    set.image(index, image.as_mut_slice());
    image
}

/// A network that has learned a little, by the first digits; and those.
fn learned() -> (Box<Digits>, impl Samples) {
    let (_, training) = digits().split(0.15, 0).unwrap();
    let mut net = Digits::random(231);
    trainer(Adam::default(), 3e-3, 3)
        .fit(&mut *net, &training)
        .unwrap();
    (net, training)
}

fn trainer<O: convnet::Optimizer<f32>>(optimizer: O, rate: f64, epochs: usize) -> Trainer<O> {
    Trainer::new(optimizer)
        .learning_rate(rate)
        .epochs(epochs)
        .progress(Progress::Silent)
}

/// The mean loss of scores, and how many of a hundred images are answered by their label.
fn seen(
    set: &impl Samples,
    mut scores: impl FnMut(&Volume<f32, 8, 8, 1>) -> Volume<f32, 1, 1, 10>,
) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for index in 0..set.len() {
        let (scores, mut d_scores) = (scores(&image(set, index)), [0.0; 10]);
        let loss = SoftmaxCrossEntropy::default();
        let label = set.label(index);
        sums[0] += f64::from(loss.loss(scores.as_slice(), label, &mut d_scores).unwrap());
        let best = scores.as_slice().iter().copied().fold(f32::MIN, f32::max);
        sums[1] += f64::from(u8::from(scores[0][0][label] == best));
    }
    [
        sums[0] / set.len() as f64,
        100.0 * sums[1] / set.len() as f64,
    ]
}

#[test]
fn training_computes_what_bytes_compute() {
    let (mut net, training) = learned();
    // Of one image with large pixels steps become coarse.
    let mut images: Vec<_> = (0..50).map(|index| image(&training, index)).collect();
    images[7].as_mut_slice().iter_mut().for_each(|v| *v *= 40.0);
    let mut twin = net.quantize(&images).unwrap();
    let (bytes, before) = (twin.to_bytes(), tensors(&net));
    let mut arena = Digits::arena();
    let [numbers, _] = seen(&training, |image| net.forward(image, &mut arena).clone());
    let [in_bytes, _] = seen(&training, |image| *twin.predict(image));
    let history = trainer(Sgd::default(), 0.0, 1)
        .fine_tune(&mut *net, &mut twin, &training)
        .unwrap();
    let trained = history.epochs[0].training.loss;
    let [far, near] = [(numbers - in_bytes).abs(), (trained - in_bytes).abs()];
    assert!(
        near < 0.25 * far,
        "{trained}: f32 {numbers}, int8 {in_bytes}"
    );
    // Without a step nothing moves, statistics least of all.
    assert_eq!(twin.to_bytes(), bytes);
    assert_eq!(tensors(&net), before);
}

#[test]
fn what_rounding_loses_is_learned_again() {
    let (net, training) = learned();
    let mut images: Vec<_> = (0..50).map(|index| image(&training, index)).collect();
    images[7].as_mut_slice().iter_mut().for_each(|v| *v *= 40.0);
    let twin = net.quantize(&images).unwrap();
    let mut arena = Digits::arena();
    let [_, numbers] = seen(&training, |image| net.forward(image, &mut arena).clone());
    let [_, lost] = seen(&training, |image| *twin.predict(image));
    let tune = |threads| {
        let (mut net, _) = learned();
        let mut twin = net.quantize(&images).unwrap();
        let trainer = trainer(Adam::default(), 1e-3, 2).threads(threads);
        trainer.fine_tune(&mut *net, &mut twin, &training).unwrap();
        (net, twin)
    };
    let (tuned, tuned_twin) = tune(1);
    let [_, found] = seen(&training, |image| *tuned_twin.predict(image));
    assert!(
        found > lost + 0.5 * (numbers - lost),
        "{lost} % became {found} %, of {numbers} %"
    );
    assert_eq!(tuned_twin.image(), twin.image(), "ranges stay");
    let tensors = tensors(&net).into_iter().zip(tensors(&tuned));
    for (tensor, (before, after)) in Digits::<f32>::TENSORS.iter().zip(tensors) {
        let is_statistic = matches!(tensor.role, Role::Mean(_) | Role::Variance(..));
        assert_eq!(before == after, is_statistic, "{}", tensor.name);
    }
    assert_eq!(
        tune(2).1.to_bytes(),
        tuned_twin.to_bytes(),
        "on any number of threads"
    );
}

#[test]
fn what_has_one_scale_keeps_one() {
    let (mut net, training) = learned();
    let images: Vec<_> = (0..50).map(|index| image(&training, index)).collect();
    let settings = Settings {
        fc_per_tensor: true,
        ..Settings::default()
    };
    let mut twin = net.quantize_by(&images, settings).unwrap();
    let multiplier = |twin: &Int8<Digits>| {
        let (_, channels, _) = twin.parts();
        let [one, .., last] = &channels[channels.len() - 10..] else {
            unreachable!("ten scores")
        };
        assert_eq!(one.by, last.by);
        one.by
    };
    let before = multiplier(&twin);
    let trainer = trainer(Adam::default(), 1e-2, 1);
    trainer.fine_tune(&mut *net, &mut twin, &training).unwrap();
    assert_ne!(multiplier(&twin), before, "it has learned");
}

fn tensors(net: &Digits) -> Vec<Vec<f32>> {
    let all = 0..Digits::<f32>::TENSORS.len();
    all.map(|index| net.tensor(index).to_vec()).collect()
}
