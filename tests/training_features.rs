//! What a training does on request: accumulates, clips, averages, counts the best of several, scales by norms.
#![cfg(feature = "train")]

use convnet::data::{self, Images, Samples, Subset};
use convnet::loss::{ClassWeights, Loss, SoftmaxCrossEntropy};
use convnet::optim::{Lars, Optimizer, Sgd};
use convnet::schedule::{OneCycle, Schedule, WarmRestarts};
use convnet::train::{Progress, TrainError, Trainer, evaluate};
use convnet::{Network, OnHeap, Parameters, convnet};

convnet! { struct Plain { input(8x8x1), conv(4, 3x3, pad = 1), relu, max_pool(2x2), fc(10) } }
convnet! { struct Normed { input(8x8x1), fc(6), batch_norm, relu, fc(10) } }

const RATE: f64 = 0.5;

fn digits() -> Images {
    data::digits(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/data/digits.csv.gz"
    ))
    .unwrap()
}

fn some(digits: &Images) -> Subset<&Images> {
    data::split(digits, 60.0 / digits.len() as f64, 9)
        .unwrap()
        .1
}

/// All images are one batch.
fn trainer<O>(optimizer: O) -> Trainer<O> {
    Trainer::new(optimizer)
        .learning_rate(RATE)
        .batch_size(60)
        .shards(5)
        .epochs(1)
        .threads(2)
        .progress(Progress::Silent)
}

/// The network after a training, a tensor each.
fn after<O>(trainer: &Trainer<O>) -> Vec<Vec<f64>>
where
    O: Optimizer<f64> + std::fmt::Display + Sync,
{
    let (digits, mut net) = (digits(), Plain::<f64>::random(3));
    trainer.fit(&mut *net, &some(&digits)).unwrap();
    tensors(&net)
}

fn tensors(net: &Plain<f64>) -> Vec<Vec<f64>> {
    let tensors = 0..Plain::<f64>::TENSORS.len();
    tensors.map(|index| net.tensor(index).to_vec()).collect()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn less(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let less = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
    a.iter().zip(b).map(less).collect()
}

#[track_caller]
fn assert_close(a: &[Vec<f64>], b: &[Vec<f64>]) {
    let off = norm(&less(a, b).concat());
    assert!(off < 1e-13 * norm(&a.concat()), "{off}");
}

/// The mean gradient of the batch, by a step of plain descent.
fn gradient() -> Vec<Vec<f64>> {
    let before = tensors(&Plain::<f64>::random(3));
    let mut step = less(&before, &after(&trainer(Sgd::default())));
    step.iter_mut().flatten().for_each(|d| *d /= RATE);
    step
}

#[test]
fn a_batch_in_parts_is_a_batch() {
    let whole = after(&trainer(Sgd::default()));
    for parts in [2, 7, 60, 100] {
        assert_close(&after(&trainer(Sgd::default()).accumulate(parts)), &whole);
    }
    // Steps, not parts, are counted: by a schedule, and where a checkpoint is.
    let steps = |parts| {
        let trainer = trainer(Sgd::default()).batch_size(16).epochs(2);
        let trainer = trainer.schedule(|steps| {
            assert_eq!(steps, 8);
            OneCycle {
                rate: 0.1,
                rise: 0.3,
                steps,
            }
        });
        after(&trainer.accumulate(parts))
    };
    assert_close(&steps(3), &steps(1));
}

#[test]
fn a_part_of_one_image_has_no_variance() {
    let (digits, mut net) = (digits(), Normed::<f32>::random(3));
    let mut fit = |size, parts| {
        let trainer = trainer(Sgd::default()).batch_size(size).accumulate(parts);
        trainer.fit(&mut *net, &some(&digits))
    };
    assert!(fit(20, 10).is_ok());
    assert!(matches!(fit(20, 11), Err(TrainError::OneNumber { .. })));
    assert!(
        matches!(fit(54, 4), Err(TrainError::OneNumber { .. })),
        "the last has six"
    );
    let error = fit(20, 0).unwrap_err().to_string();
    assert_eq!(
        error,
        "the number of parts of a batch is 0\n1 or more is expected"
    );
}

#[test]
fn a_gradient_that_is_too_long_is_clipped() {
    let (before, whole) = (tensors(&Plain::<f64>::random(3)), gradient());
    let length = norm(&whole.concat());
    let step = |max| less(&before, &after(&trainer(Sgd::default()).clip_norm(max)));
    let mut expected = whole.clone();
    expected
        .iter_mut()
        .flatten()
        .for_each(|d| *d *= RATE * 0.25);
    assert_close(&step(0.25 * length), &expected);
    // Shorter than that it stays as it is, to the bit.
    let unclipped = after(&trainer(Sgd::default()));
    assert_eq!(
        after(&trainer(Sgd::default()).clip_norm(1.01 * length)),
        unclipped
    );
    // Of what is frozen there is no gradient.
    let learns = |tensor: &convnet::Tensor| tensor.name == "fc1.bias";
    let index = Plain::<f64>::TENSORS.iter().position(learns).unwrap();
    let trainer = trainer(Sgd::default()).only(learns).clip_norm(1e-3);
    let moved = less(&before, &after(&trainer));
    assert!((norm(&moved[index]) / (RATE * 1e-3) - 1.0).abs() < 1e-12);
    assert_eq!(norm(&moved.concat()), norm(&moved[index]));
    let error = after_error(trainer.clip_norm(f64::NAN));
    assert!(
        error.starts_with("the longest gradient is NaN\na finite number"),
        "{error}"
    );
}

fn after_error(trainer: Trainer<Sgd>) -> String {
    let (digits, mut net) = (digits(), Plain::<f64>::random(3));
    let error = trainer.fit(&mut *net, &some(&digits)).unwrap_err();
    error.to_string()
}

/// By the formula of the paper, in other words.
#[test]
fn lars_has_a_rate_for_each_tensor() {
    let (before, gradient) = (tensors(&Plain::<f64>::random(3)), gradient());
    let lars = Lars {
        trust: 0.02,
        momentum: 0.9,
        weight_decay: 0.01,
    };
    let found = less(&before, &after(&trainer(lars)));
    for (index, tensor) in Plain::<f64>::TENSORS.iter().enumerate() {
        let (w, g) = (&before[index], &gradient[index]);
        let expected: Vec<f64> = if tensor.name.ends_with("bias") {
            g.iter().map(|g| RATE * g).collect()
        } else {
            let local = 0.02 * norm(w) / (norm(g) + 0.01 * norm(w));
            w.iter()
                .zip(g)
                .map(|(w, g)| RATE * local * (g + 0.01 * w))
                .collect()
        };
        assert!(norm(&expected) > 0.0);
        assert_close(&[found[index].clone()], &[expected]);
    }
    // Momentum: two steps of a slot are those of the trait by hand.
    let mut net = Plain::<f64>::random(3);
    let mut velocity = Plain::<f64>::boxed();
    let mut grad = Plain::<f64>::boxed();
    for (index, g) in gradient.iter().enumerate() {
        grad.tensor_mut(index).copy_from_slice(g);
    }
    let step = convnet::optim::Step {
        rate: RATE,
        count: 0,
    };
    lars.step(step, &mut *net, &*grad, &mut [&mut *velocity])
        .unwrap();
    assert_close(&less(&before, &tensors(&net)), &found);
}

#[test]
fn an_average_follows_the_weights() {
    let digits = digits();
    let of = |epochs| after(&trainer(Sgd::default()).epochs(epochs));
    let mut expected = of(1);
    for epochs in 2..=4 {
        let (w, average) = (of(epochs), expected.iter_mut().flatten());
        let pairs = average.zip(w.iter().flatten());
        pairs.for_each(|(average, w)| *average = 0.9 * *average + 0.1 * w);
    }
    let averaged = || trainer(Sgd::default()).average(0.9);
    let found = after(&averaged().epochs(4));
    assert_close(&found, &expected);
    // It is in the checkpoint, is validated, and is what patience keeps.
    let path = std::env::temp_dir().join(format!("convnet-average-{}", std::process::id()));
    let saved = |epochs| after(&averaged().epochs(epochs).checkpoint(&path));
    let _ = saved(2);
    let resumed = saved(4);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(resumed, found);
    let mut net = Plain::<f64>::random(3);
    let trainer = averaged().epochs(4).patience(4);
    let set = some(&digits);
    let history = trainer.fit_validated(&mut *net, &set, &set).unwrap();
    assert_eq!(history.best, Some(3));
    assert_eq!(tensors(&net), found);
    let seen = evaluate(&*net, &set, &SoftmaxCrossEntropy::default()).unwrap();
    assert_eq!(history.epochs[3].validation.unwrap().loss, seen.loss());
}

#[test]
fn the_right_class_may_be_among_several() {
    let (digits, net) = (digits(), Plain::<f32>::random(3));
    let set = some(&digits);
    let seen = evaluate(&*net, &set, &SoftmaxCrossEntropy::default()).unwrap();
    let (mut image, mut arena) = (
        Box::new(<Plain as Network>::Input::ZERO),
        Plain::<f32>::arena(),
    );
    for k in [0, 1, 2, 5, 10] {
        let among = (0..set.len()).filter(|&index| {
            set.image(index, image.as_mut_slice());
            let scores = net.forward(&image, &mut arena).as_slice();
            let mut order: Vec<usize> = (0..10).collect();
            order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
            order[..k].contains(&set.label(index))
        });
        assert_eq!(seen.top(k), among.count() as f64 / 60.0, "{k}");
    }
    assert_eq!((seen.top(1), seen.top(10)), (seen.accuracy(), 1.0));
}

/// A rare class that counts for as much as it would with as many images more.
#[test]
fn a_class_that_counts_twice_is_there_twice() {
    let loss = ClassWeights {
        loss: SoftmaxCrossEntropy { smoothing: 0.1 },
        weights: vec![1.0, 2.0, 0.5],
    };
    let (scores, mut d, mut plain) = ([0.3_f64, -1.2, 2.0], [0.0; 3], [0.0; 3]);
    for (label, weight) in [1.0, 2.0, 0.5].into_iter().enumerate() {
        let found = loss.loss(&scores, label, &mut d).unwrap();
        assert_eq!(
            found,
            weight * loss.loss.loss(&scores, label, &mut plain).unwrap()
        );
        assert_eq!(d, plain.map(|d| weight * d));
    }
    let error = loss.loss(&[0.0_f64; 4], 3, &mut [0.0; 4]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("label 3 names none of the 3 classes")
    );
    assert_eq!(
        ClassWeights::balanced((), &[10, 30, 0]).weights,
        [40.0 / 30.0, 40.0 / 90.0, 0.0]
    );
}

#[test]
fn no_schedule_divides_by_zero() {
    let thrice = WarmRestarts {
        rate: 0.1,
        floor: 0.01,
        steps: 4,
        times: 3,
    };
    let none = OneCycle {
        rate: 0.1,
        rise: 0.0,
        steps: 0,
    };
    assert!(
        [0, 1, u64::MAX]
            .iter()
            .all(|&step| none.rate(step).is_finite())
    );
    let none = WarmRestarts { steps: 0, ..thrice };
    assert_eq!([none.rate(0), none.rate(7)], [0.01; 2]);
    assert!(
        WarmRestarts { times: 2, ..thrice }
            .rate(u64::MAX)
            .is_finite()
    );
    assert!(
        OneCycle {
            rate: 0.1,
            rise: 1.0,
            steps: 3
        }
        .rate(1)
        .is_finite()
    );
}
