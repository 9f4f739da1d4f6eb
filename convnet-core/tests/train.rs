//! Training: it learns, it is the same to the bit on any number of threads, and it says what is wrong
//! before it begins.
#![cfg(feature = "train")]

mod common {
    pub(crate) mod digit;
    pub(crate) mod training;
}

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Mutex;

use common::training::{bits, digits, few, net, timeless, trainer, trap};
use convnet_core::data::{self, Images, Samples};
use convnet_core::loss::SoftmaxCrossEntropy;
use convnet_core::optim::{Adam, Sgd};
use convnet_core::schedule::Constant;
use convnet_core::train::{Progress, TrainError, Trainer, evaluate};
use convnet_core::{Optimizer, Real, Rng};

#[test]
fn it_learns_the_digits() {
    let digits = digits();
    let (train, test) = data::split(&digits, 0.2, 1).unwrap();
    let mut net = net();
    let history = trainer()
        .epochs(6)
        .validation_share(0.1)
        .fit(&mut *net, &train)
        .unwrap();
    let seen = evaluate(&*net, &test, &SoftmaxCrossEntropy::default()).unwrap();
    assert_eq!(seen.images(), 359);
    assert!(seen.accuracy() > 0.9, "{seen}");
    let losses: Vec<f64> = history
        .epochs
        .iter()
        .map(|epoch| epoch.training.loss)
        .collect();
    assert!(losses[5] < 0.5 * losses[0], "{losses:?}");
    assert!(
        history
            .epochs
            .iter()
            .all(|epoch| epoch.validation.is_some())
    );
}

#[test]
fn threads_change_no_bit() {
    fn check<O>(trainer: impl Fn() -> Trainer<O>)
    where
        O: Optimizer<f32> + Display + Sync,
    {
        let digits = digits();
        let set = few(&digits).random_shifts(1);
        let run = |threads| {
            let mut net = net();
            let history = trainer()
                .epochs(2)
                .threads(threads)
                .validation_share(0.2)
                .fit(&mut *net, &set);
            (bits(&net), timeless(history.unwrap()))
        };
        let one = run(1);
        assert!(one == run(2));
        assert!(one == run(3));
        assert_ne!(one.0, bits(&net()));
    }
    check(trainer);
    check(|| Trainer::new(Sgd::default()).shards(16).seed(3));
}

/// A set that writes down which image was seen, and what augmentation drew.
struct Witness<S>(S, Mutex<Vec<(usize, u64)>>);

impl<S: Samples> Samples for Witness<S> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.0.shape()
    }

    fn classes(&self) -> usize {
        self.0.classes()
    }

    fn label(&self, index: usize) -> usize {
        self.0.label(index)
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.0.image(index, image);
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        self.1.lock().unwrap().push((index, rng.next_u64()));
        self.0.image(index, image);
    }
}

#[test]
fn images_are_seen_once_an_epoch_in_another_order_each_time() {
    let digits = digits();
    let seen = |seed| {
        let set = Witness(few(&digits), Mutex::default());
        // One shard sees its images in order.
        let trainer = trainer().seed(seed).epochs(2).shards(1);
        trainer.fit(&mut *net(), &set).unwrap();
        set.1.into_inner().unwrap()
    };
    let one = seen(1);
    let (first, second) = one.split_at(180);
    for epoch in [first, second] {
        let mut images: Vec<usize> = epoch.iter().map(|&(index, _)| index).collect();
        assert!(!images.is_sorted());
        images.sort_unstable();
        assert_eq!(images, (0..180).collect::<Vec<_>>());
    }
    assert!(first.iter().zip(second).filter(|(a, b)| a.0 == b.0).count() < 20);
    let draws: HashSet<u64> = one.iter().map(|&(_, draw)| draw).collect();
    assert_eq!(draws.len(), 360, "every image draws anew in every epoch");
    assert_eq!(seen(1), one);
    assert!(seen(2).iter().all(|(_, draw)| !draws.contains(draw)));
}

#[test]
fn a_loss_that_is_no_number_stops_it_with_advice() {
    let digits = digits();
    let error = trainer()
        .fit(&mut *net(), &trap(&few(&digits), 24))
        .unwrap_err();
    assert!(
        matches!(error, TrainError::Diverged { epoch: 0, batch: 1, learning_rate, loss }
        if learning_rate == 3e-3 && !loss.is_finite())
    );
    let text = error.to_string();
    assert!(
        text.contains("batch 1 of epoch 0, at the learning rate 3e-3"),
        "{text}"
    );

    let trainer = Trainer::new(Sgd::default())
        .learning_rate(1e30)
        .progress(Progress::Silent);
    let error = trainer.fit(&mut *net(), &few(&digits)).unwrap_err();
    assert!(
        matches!(error, TrainError::Diverged { .. } | TrainError::Weights(_)),
        "{error}"
    );
}

#[test]
fn patience_gives_the_best_weights_back() {
    let digits = digits();
    let (train, validation) = data::split(&digits, 0.1, 4).unwrap();
    let few = data::split(&train, 0.05, 4).unwrap().1;
    let mut net = net();
    // So fast that it soon gets worse.
    let trainer = trainer().learning_rate(0.1).epochs(60).patience(3);
    let history = trainer.fit_validated(&mut *net, &few, &validation).unwrap();
    let best = history.best.unwrap();
    assert!(history.epochs.len() < 60, "it stopped");
    assert_eq!(history.epochs.len() - 1 - best, 3);
    let losses: Vec<f64> = history
        .epochs
        .iter()
        .map(|e| e.validation.unwrap().loss)
        .collect();
    assert!(losses.iter().all(|&loss| loss >= losses[best]));
    let seen = evaluate(&*net, &validation, &SoftmaxCrossEntropy::default()).unwrap();
    assert_eq!(seen.loss(), losses[best]);
}

#[test]
fn sets_that_do_not_fit_are_refused_before_it_begins() {
    let set = |shape: [usize; 3], classes, label| {
        Images::new(shape, classes, vec![0; shape.iter().product()], vec![label]).unwrap()
    };
    let refuse = |training: &Images, validation: &Images| {
        let mut net = net();
        let error = trainer()
            .fit_validated(&mut *net, training, validation)
            .unwrap_err();
        assert_eq!(bits(&net), bits(&common::training::net()), "{error}");
        error
    };
    let good = set([8, 8, 1], 10, 3);
    let error = refuse(&set([8, 9, 1], 10, 3), &good);
    assert!(matches!(
        error,
        TrainError::Shape {
            set: "training",
            found: [8, 9, 1],
            ..
        }
    ));
    assert!(
        error
            .to_string()
            .starts_with("the training images are 9x8x1, and the network's")
    );
    let error = refuse(&good, &set([8, 8, 1], 11, 10));
    assert!(matches!(
        error,
        TrainError::Label {
            set: "validation",
            label: 10,
            scores: 10,
            ..
        }
    ));
    let advice = |label| {
        let error = TrainError::Label {
            set: "training",
            image: 4,
            label,
            scores: 10,
        };
        error.to_string().lines().last().unwrap().to_owned()
    };
    assert_eq!(advice(11), "let the last layer give 12 scores, or more");
    for minus_one in [usize::MAX, u32::MAX as usize] {
        assert!(advice(minus_one).contains("look at how labels are read; one of -1"));
    }
    // Eleven classes whose labels fit do no harm.
    assert!(trainer().fit(&mut *net(), &set([8, 8, 1], 11, 9)).is_ok());

    let none = data::split(&good, 0.5, 0).unwrap_err();
    assert!(matches!(TrainError::from(none), TrainError::Data(_)));
    let digits = digits();
    let error = trainer()
        .validation_share(0.0)
        .fit(&mut *net(), &digits)
        .unwrap_err();
    assert!(matches!(error, TrainError::Data(_)));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let digits = digits();
    let refuse = |trainer: Trainer<Adam>, name: &str| {
        let error = trainer.fit(&mut *net(), &digits).unwrap_err();
        assert!(
            matches!(&error, TrainError::Setting { name: found, .. } if found.contains(name)),
            "{error}"
        );
    };
    refuse(trainer().epochs(0), "epochs");
    refuse(trainer().batch_size(0), "batch size");
    refuse(trainer().shards(0), "shards");
    refuse(trainer().validation_share(0.1).patience(0), "patience");
    refuse(trainer().patience(3), "patience");
    refuse(trainer().checkpoint_every(3), "between checkpoints");
    refuse(trainer().learning_rate(f64::NAN), "learning rate");
    refuse(trainer().schedule(|_| Constant(-1.0)), "learning rate");
    let validated = trainer()
        .validation_share(0.1)
        .fit_validated(&mut *net(), &digits, &digits);
    assert!(matches!(validated.unwrap_err(), TrainError::Setting { .. }));
    let adam = Adam {
        beta1: 1.5,
        ..Adam::default()
    };
    let error = Trainer::new(adam).fit(&mut *net(), &digits).unwrap_err();
    assert!(matches!(error, TrainError::Optim(_)));
}
