//! A training that grows beyond what its scalars hold ends with an error, and its last checkpoint is sound.
#![cfg(feature = "train")]

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use convnet::data::Samples;
use convnet::optim::{Adadelta, Adagrad, Adam, AdamW, RmsProp};
use convnet::schedule::StepDecay;
use convnet::train::{Progress, TrainError, Trainer};
use convnet::weights::WeightsError;
use convnet::{Optimizer, Parameters, Real, Rng, convnet};

convnet! {
    struct Six {
        input(4x4x1),
        a: fc(8), b: fc(8), c: fc(8), d: fc(8), e: fc(8), scores: fc(3),
    }
}

/// 64 images, of which number 17 is brighter by `factor`, and so is number 20, its negative: the same class
/// cannot have the highest score of both.
struct Noise {
    factor: f64,
}

impl Samples for Noise {
    fn len(&self) -> usize {
        64
    }

    fn shape(&self) -> [usize; 3] {
        [4, 4, 1]
    }

    fn classes(&self) -> usize {
        3
    }

    fn label(&self, index: usize) -> usize {
        index % 3
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        let (stream, factor) = match index {
            17 => (17, self.factor),
            20 => (17, -self.factor),
            other => (other as u64, 1.0),
        };
        let mut rng = Rng::stream(1, stream);
        image
            .iter_mut()
            .for_each(|pixel| *pixel = T::of(factor * rng.normal()));
    }
}

fn checkpoint(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}

/// The square of a gradient is no f32 from 1.8e19 on. What would be written could not be read again.
#[test]
fn a_slot_that_overflows_is_no_checkpoint() {
    fn check<O: Optimizer<f32> + Display + Sync>(optimizer: O) {
        let (name, path) = (optimizer.to_string(), checkpoint("overflow_slot"));
        let trainer = Trainer::new(optimizer).epochs(2).checkpoint_every(1);
        let trainer = trainer.checkpoint(&path).progress(Progress::Silent);
        let mut net = Six::<f32>::random(1);
        let error = trainer.fit(&mut *net, &Noise { factor: 1e25 }).unwrap_err();
        let TrainError::Slot {
            tensor,
            value,
            epoch: 0,
            ..
        } = error
        else {
            panic!("{name}: {error}")
        };
        assert!(!value.is_finite() && Six::<f32>::TENSORS.iter().any(|it| it.name == tensor));
        // Whatever was saved before, in a batch without that image, is sound: the same happens again.
        let again = trainer
            .fit(&mut *Six::<f32>::random(1), &Noise { factor: 1e25 })
            .unwrap_err();
        assert_eq!(again.to_string(), error.to_string(), "{name}");
    }
    check(Adam::default());
    check(AdamW::default());
    check(RmsProp::default());
    check(Adagrad::default());
    check(Adadelta::default());
}

/// A thousandth in the first epoch, a thousand in the second.
#[test]
fn a_rate_that_is_too_high_spoils_no_checkpoint() {
    let path = checkpoint("overflow_rate");
    let fit = |epochs| {
        let rate = |_| StepDecay {
            rate: 1e-3,
            factor: 1e6,
            every: 2,
        };
        let trainer = Trainer::new(Adam::default()).schedule(rate).epochs(epochs);
        let trainer = trainer.checkpoint(&path).progress(Progress::Silent);
        let mut net = Six::<f32>::random(1);
        trainer.fit(&mut *net, &Noise { factor: 1.0 }).map(|_| net)
    };
    let sound = fit(1).unwrap();
    let error = fit(9).err().unwrap();
    assert!(
        matches!(
            error,
            TrainError::Slot { .. }
                | TrainError::Diverged { .. }
                | TrainError::Weights(WeightsError::NotFinite { .. })
        ),
        "{error}"
    );
    assert_eq!(fit(9).err().unwrap().to_string(), error.to_string());
    assert_ne!(sound.a.bias, [0.0; 8]);
}
