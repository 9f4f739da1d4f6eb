//! What larger data needs, by PyTorch's numbers: `tests/vectors/training.py` wrote them.
#![cfg(feature = "train")]

#[path = "../convnet-core/tests/vectors/case.rs"]
#[allow(dead_code)] // what the cases of layers and optimizers use
mod case;

use std::fmt::Display;

use case::{Array, array, assert_close, of, places, read};
use convnet::data::{Images, Mixed};
use convnet::loss::{
    BinaryCrossEntropy, ClassWeights, Huber, Loss, LossError, MeanSquaredError, SoftmaxCrossEntropy,
};
use convnet::optim::{Adam, Lars, Optimizer, Sgd};
use convnet::schedule::{OneCycle, Schedule, WarmRestarts};
use convnet::train::{LossFor, Progress, TrainError, Trainer, evaluate};
use convnet::{OnHeap, Parameters, convnet};
use safetensors::SafeTensors;

convnet! {
    struct Net { input(8x8x1), conv(4, 3x3, pad = 1), relu, max_pool(2x2), fc(10) }
}

const RATE: f64 = 0.5;
const STEPS: usize = 4;

/// What PyTorch found.
fn found(name: &str) -> Array {
    array(
        &SafeTensors::deserialize(&read("training.safetensors")).unwrap(),
        name,
    )
}

/// The tensor of ours, in PyTorch's file: its name there, and where each scalar lies here.
fn theirs(prefix: &str, index: usize) -> (Array, Vec<usize>) {
    let tensor = &Net::<f64>::TENSORS[index];
    let name = tensor
        .name
        .replace("filters", "weight")
        .replace("weights", "weight");
    let array = found(&format!("{prefix}.{name}"));
    let places = match name.as_str() {
        // PyTorch reads a volume slice by slice: [k][d][y][x] of 4x4 pixels and 4 slices.
        "fc1.weight" => (0..array.values.len())
            .map(|at| {
                let (k, d, pixel) = (at / 64, at / 16 % 4, at % 16);
                (pixel * 4 + d) * 10 + k
            })
            .collect(),
        _ => places(tensor),
    };
    (array, places)
}

fn start() -> Box<Net<f64>> {
    let mut net = Net::<f64>::boxed();
    for index in 0..Net::<f64>::TENSORS.len() {
        let (array, places) = theirs("start", index);
        for (place, value) in places.into_iter().zip(array.values) {
            net.tensor_mut(index)[place] = value;
        }
    }
    net
}

fn assert_is(prefix: &str, net: &Net<f64>) {
    for index in 0..Net::<f64>::TENSORS.len() {
        let (array, places) = theirs(prefix, index);
        let mine: Vec<f64> = places
            .into_iter()
            .map(|place| net.tensor(index)[place])
            .collect();
        assert_close(&format!("{prefix}, tensor {index}"), &mine, &array.values);
    }
}

fn images() -> Images {
    let numbers = |name| found(name).values.into_iter();
    let pixels = numbers("pixels").map(|p| p as u8).collect();
    Images::new(
        [8, 8, 1],
        10,
        pixels,
        numbers("labels").map(|l| l as usize).collect(),
    )
    .unwrap()
}

/// All images are one batch.
fn trainer<O>(optimizer: O) -> Trainer<O> {
    Trainer::new(optimizer)
        .learning_rate(RATE)
        .batch_size(24)
        .shards(5)
        .epochs(STEPS)
        .threads(2)
        .progress(Progress::Silent)
}

/// Fails unless the training ends with PyTorch's weights.
fn check<O, L>(prefix: &str, trainer: &Trainer<O, L>)
where
    O: Optimizer<f64> + Display + Sync,
    L: LossFor<f64, usize> + Display + Sync,
{
    let mut net = start();
    trainer.fit(&mut *net, &images()).unwrap();
    assert_is(prefix, &net);
}

#[test]
fn plain_descent() {
    check("plain", &trainer(Sgd::default()));
}

#[test]
fn a_batch_in_parts() {
    check("accumulated", &trainer(Sgd::default()).accumulate(3));
}

#[test]
fn an_average_of_the_weights() {
    check("averaged", &trainer(Sgd::default()).average(0.9));
}

#[test]
fn smoothed_labels() {
    let smoothed = SoftmaxCrossEntropy { smoothing: 0.1 };
    check("smoothed", &trainer(Sgd::default()).loss(smoothed));
}

#[test]
fn classes_that_weigh_more() {
    let weighted = ClassWeights {
        loss: SoftmaxCrossEntropy::default(),
        weights: found("weights").values,
    };
    check("weighted", &trainer(Sgd::default()).loss(weighted));
}

/// PyTorch adds 1e-6 to the norm, of about 1, of which 1/8 is left: a step is off by less than 1e-6 of its length,
/// and no weight moves by more than `RATE`/8 a step.
#[test]
fn a_gradient_of_a_largest_norm() {
    let mut net = start();
    let clipped = trainer(Sgd::default()).clip_norm(0.125);
    clipped.fit(&mut *net, &images()).unwrap();
    let bound = 2e-6 * RATE / 8.0 * STEPS as f64;
    let mut moved: f64 = 0.0;
    for index in 0..Net::<f64>::TENSORS.len() {
        let (array, places) = theirs("clipped", index);
        let (plain, _) = theirs("plain", index);
        for ((place, value), plain) in places.into_iter().zip(array.values).zip(plain.values) {
            assert!((net.tensor(index)[place] - value).abs() < bound);
            moved = moved.max((value - plain).abs());
        }
    }
    assert!(moved > 1e4 * bound, "{moved}");
}

#[test]
fn a_rate_for_each_layer() {
    let grouped = trainer(Adam::default()).learning_rate(1e-2);
    let first = |tensor: &convnet::Tensor| tensor.name.starts_with("conv1.");
    check(
        "grouped",
        &grouped.rates(move |tensor| if first(tensor) { 0.1 } else { 1.0 }),
    );
}

#[test]
fn a_frozen_layer() {
    let frozen = trainer(Sgd::default()).only(|tensor| tensor.name.starts_with("fc1."));
    check("frozen", &frozen);
}

#[test]
fn lars() {
    let lars = Lars {
        trust: 0.02,
        momentum: 0.9,
        weight_decay: 0.01,
    };
    check("lars", &trainer(lars));
}

#[test]
fn schedules() {
    let check = |name: &str, schedule: &dyn Schedule| {
        let expected = found(name).values;
        let rates: Vec<f64> = (0..expected.len() as u64)
            .map(|step| schedule.rate(step))
            .collect();
        assert_close(name, &rates, &expected);
    };
    let (rate, rise, steps) = (0.1, 0.25, 40);
    check("one_cycle", &OneCycle { rate, rise, steps });
    let restarts = WarmRestarts {
        rate: 0.1,
        floor: 0.01,
        steps: 4,
        times: 3,
    };
    check("restarts", &restarts);
    check(
        "restarts_alike",
        &WarmRestarts {
            times: 1,
            ..restarts
        },
    );
}

/// The mean over rows: PyTorch's is over all.
fn check_loss(name: &str, loss: impl Fn(usize, &[f64], &mut [f64]) -> Result<f64, LossError>) {
    let scores = found("scores");
    let rows = scores.shape[0];
    let (mut sum, mut gradient) = (0.0, Vec::new());
    for row in 0..rows {
        let scores = scores.row::<f64>(row);
        let mut d = vec![1.0; scores.len()];
        sum += loss(row, &scores, &mut d).unwrap();
        gradient.extend(d.iter().map(|d| d / rows as f64));
    }
    assert_close(
        name,
        &[sum / rows as f64],
        &found(&format!("{name}.loss")).values,
    );
    assert_close(name, &gradient, &found(&format!("{name}.d")).values);
}

#[test]
fn losses_of_several_labels_and_of_numbers() {
    let target = found("target");
    let numbers = |row| target.row::<f32>(row);
    let labels = |row| {
        numbers(row)
            .into_iter()
            .map(|p| p > 0.5)
            .collect::<Vec<_>>()
    };
    check_loss("binary", |row, scores, d| {
        BinaryCrossEntropy.loss(scores, &numbers(row)[..], d)
    });
    check_loss("binary_labels", |row, scores, d| {
        BinaryCrossEntropy.loss(scores, &labels(row)[..], d)
    });
    check_loss("squared", |row, scores, d| {
        MeanSquaredError.loss(scores, &numbers(row)[..], d)
    });
    let huber = Huber { delta: 0.7 };
    check_loss("huber", |row, scores, d| {
        huber.loss(scores, &numbers(row)[..], d)
    });
}

#[test]
fn mixed_classes() {
    let (classes, shares) = (found("classes"), of::<f64>(&found("shares").values));
    check_loss("mixed", |row, scores, d| {
        let [one, other] = [0, 1].map(|n| classes.row::<f64>(row)[n] as usize);
        let mixed = Mixed {
            classes: [one, other],
            share: shares[row],
        };
        SoftmaxCrossEntropy::default().loss_for(scores, &mixed, d)
    });
}

#[test]
fn the_right_class_among_the_best() {
    let seen = evaluate(&*start(), &images(), &SoftmaxCrossEntropy::default()).unwrap();
    let right: Vec<f64> = (1..=10).map(|k| 24.0 * seen.top(k)).collect();
    assert_close("top", &right, &found("top").values);
}

#[test]
fn a_range_test() {
    let (rates, losses) = (found("range.rates").values, found("range.losses").values);
    let (net, images) = (start(), images());
    let trainer = trainer(Sgd::default())
        .patience(3)
        .checkpoint("no/such/folder");
    let test = |range, steps| trainer.find_learning_rate(&*net, &images, range, steps);
    let found = test(1e-3..=10.0, rates.len()).unwrap();
    let column =
        |of: fn(&convnet::train::RatePoint) -> f64| found.points.iter().map(of).collect::<Vec<_>>();
    assert_close(
        "rates",
        &column(|point| point.rate),
        &rates[..found.points.len()],
    );
    assert_close(
        "losses",
        &column(|point| point.loss),
        &losses[..found.points.len()],
    );
    // The network is as it was.
    assert_is("start", &net);
    // Where it falls the fastest, a training gets further than at the ends of the range.
    let suggested = found.suggestion().unwrap();
    let last_loss = |rate| {
        let trainer = self::trainer(Sgd::default()).learning_rate(rate).epochs(20);
        let history = trainer.fit(&mut *start(), &images);
        history.map_or(f64::INFINITY, |history| history.epochs[19].training.loss)
    };
    let [low, best, high] = [1e-3, suggested, 10.0].map(last_loss);
    assert!(
        best < low && best < high,
        "{low}, {best} at {suggested}, {high}"
    );
    assert!(
        found
            .to_string()
            .ends_with(&format!("a rate of {suggested:.2e}"))
    );
    // It ends where the loss goes through the roof, before all steps are made.
    let wild = test(1e-3..=1e6, 40).unwrap();
    assert!(
        wild.points.len() < 40 && wild.suggestion().unwrap() < 10.0,
        "{wild}"
    );
    for (range, steps) in [
        (0.0..=1.0, 9),
        (1.0..=1.0, 9),
        (1e-3..=f64::INFINITY, 9),
        (1e-3..=1.0, 1),
    ] {
        let error = test(range, steps).unwrap_err();
        assert!(matches!(error, TrainError::Setting { .. }), "{error}");
    }
}
