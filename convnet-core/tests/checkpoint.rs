//! Checkpoints: a training goes on as if it had never stopped, and only where it belongs.
#![cfg(feature = "train")]

mod common {
    pub(crate) mod digit;
    pub(crate) mod training;
}

use std::fs;
use std::path::{Path, PathBuf};

use common::digit::Digit;
use common::training::{bits, digits, few, net, timeless, trainer, trap};
use convnet_core::loss::Hinge;
use convnet_core::optim::Sgd;
use convnet_core::train::{CheckpointDefect, CheckpointError, History, TrainError, Trainer};

fn checkpoint(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("train");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn four_epochs_are_two_and_two() {
    let digits = digits();
    let set = few(&digits);
    let mut straight = net();
    let all = trainer()
        .validation_share(0.2)
        .patience(9)
        .fit(&mut *straight, &set)
        .unwrap();

    let path = checkpoint("two");
    let resumed = |epochs| {
        let mut net = net();
        let trainer = trainer()
            .checkpoint(&path)
            .epochs(epochs)
            .validation_share(0.2)
            .patience(9);
        let history = trainer.fit(&mut *net, &set).unwrap();
        (bits(&net), timeless(history))
    };
    assert_eq!(resumed(2).1.epochs.len(), 2);
    let expected = (bits(&straight), timeless(all));
    assert!(resumed(4) == expected);
    // Nothing is left to do.
    assert!(resumed(4) == expected);
}

#[test]
fn a_training_that_died_inside_an_epoch_goes_on() {
    let digits = digits();
    let set = few(&digits);
    let mut straight = net();
    let all = trainer().epochs(2).fit(&mut *straight, &set).unwrap();

    let path = checkpoint("inside");
    let resumed = || trainer().epochs(2).checkpoint(&path).checkpoint_every(2);
    // 180 images are 8 batches an epoch: dies in the sixth of the second epoch.
    let error = resumed()
        .fit(&mut *net(), &trap(&set, 180 + 5 * 24))
        .unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Diverged {
                epoch: 1,
                batch: 5,
                ..
            }
        ),
        "{error}"
    );
    let mut net = net();
    let history = resumed().fit(&mut *net, &set).unwrap();
    assert_eq!(bits(&net), bits(&straight));
    assert_eq!(timeless(history), timeless(all));
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let digits = digits();
    let (set, path) = (few(&digits), checkpoint("other"));
    let one = || trainer().epochs(1).checkpoint(&path);
    one().fit(&mut *net(), &set).unwrap();
    let differs = |result: Result<History, TrainError>| match result.unwrap_err() {
        TrainError::Checkpoint(CheckpointError { path: at, defect }) if at == path => {
            match defect {
                CheckpointDefect::Other { what, .. } => what,
                CheckpointDefect::State { reason } => reason,
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other}"),
    };
    assert_eq!(differs(one().seed(8).fit(&mut *net(), &set)), "seed");
    assert_eq!(
        differs(one().batch_size(25).fit(&mut *net(), &set)),
        "batch size"
    );
    assert_eq!(
        differs(one().shards(6).fit(&mut *net(), &set)),
        "number of shards"
    );
    assert_eq!(
        differs(one().learning_rate(1e-4).fit(&mut *net(), &set)),
        "learning rate"
    );
    assert_eq!(differs(one().fit(&mut *net(), &digits)), "training set");
    assert_eq!(
        differs(one().validation_share(0.1).fit(&mut *net(), &digits)),
        "training set"
    );
    assert_eq!(
        differs(one().fit_validated(&mut *net(), &set, &set)),
        "validation set"
    );
    assert_eq!(
        differs(one().loss(Hinge::default()).fit(&mut *net(), &set)),
        "loss"
    );
    let mut other: Box<Digit<f64>> = bytemuck::zeroed_box();
    assert_eq!(differs(one().fit(&mut *other, &set)), "network");
    let sgd = Trainer::new(Sgd::default())
        .learning_rate(3e-3)
        .batch_size(24)
        .shards(5)
        .seed(7);
    assert_eq!(
        differs(sgd.checkpoint(&path).fit(&mut *net(), &set)),
        "optimizer"
    );

    trainer()
        .epochs(2)
        .checkpoint(&path)
        .fit(&mut *net(), &set)
        .unwrap();
    assert_eq!(
        differs(one().fit(&mut *net(), &set)),
        "2 epochs are done, and 1 are asked for"
    );
}

#[test]
fn a_bad_checkpoint_is_refused_and_changes_nothing() {
    let digits = digits();
    let (set, path) = (few(&digits), checkpoint("bad"));
    trainer()
        .epochs(1)
        .checkpoint(&path)
        .fit(&mut *net(), &set)
        .unwrap();
    let good = fs::read(&path).unwrap();
    let refuse = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let mut net = net();
        match trainer()
            .checkpoint(&path)
            .fit(&mut *net, &set)
            .unwrap_err()
        {
            TrainError::Checkpoint(CheckpointError { defect, .. }) => {
                assert_eq!(bits(&net), bits(&common::training::net()), "{defect:?}");
                defect
            }
            other => panic!("{other}"),
        }
    };
    for cut in (0..good.len()).step_by(97) {
        assert!(matches!(refuse(&good[..cut]), CheckpointDefect::Weights(_)));
    }
    // As long as it was, so that the header's own length stays right.
    let replaced = |from: &str, to: &str| {
        let at = good
            .windows(from.len())
            .position(|part| part == from.as_bytes())
            .unwrap();
        let mut bytes = good.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    assert!(matches!(
        refuse(&replaced("convnet.", "convnot.")),
        CheckpointDefect::Foreign
    ));
    let state = refuse(&replaced(r#"\"batch\":0"#, r#"\"batch\":9"#));
    assert!(matches!(state, CheckpointDefect::State { reason } if reason.contains("batch 9 of 8")));
    let state = refuse(&replaced(r#"\"images\":0"#, r#"\"images\":1"#));
    assert!(matches!(state, CheckpointDefect::State { .. }));
    let state = refuse(&replaced(r#"\"batch\":0"#, r#"\"botch\":0"#));
    assert!(matches!(state, CheckpointDefect::State { reason } if reason.contains("botch")));
    let slot = refuse(&replaced("slot1.conv1.bias", "slot2.conv1.bias"));
    assert!(matches!(slot, CheckpointDefect::Weights(_)));
    let mut bytes = good.clone();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(matches!(refuse(&bytes), CheckpointDefect::Weights(_)));

    fs::write(&path, &good).unwrap();
    assert!(trainer().checkpoint(&path).fit(&mut *net(), &set).is_ok());
}
