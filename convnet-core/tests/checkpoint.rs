//! Checkpoints: a training goes on as if it had never stopped, and only where it belongs.
#![cfg(feature = "train")]

mod common {
    pub(crate) mod digit;
    pub(crate) mod training;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::digit::Digit;
use common::training::{bits, digits, few, net, timeless, trainer, trap};
use convnet_core::data::Samples;
use convnet_core::loss::Hinge;
use convnet_core::optim::Sgd;
use convnet_core::schedule::Cosine;
use convnet_core::train::{CheckpointDefect, CheckpointError, History, TrainError, Trainer};
use convnet_core::{Real, Rng};

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
    // 180 images, which are compared first, are 8 batches an epoch: dies in the sixth of the second epoch.
    let error = resumed()
        .fit(&mut *net(), &trap(&set, 180 + 180 + 5 * 24))
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
    let pixels = "training set's checksum of pixels";
    let black = Dim(&set, 0.0);
    assert_eq!(differs(one().fit(&mut *net(), &black)), pixels);
    let normalised = Dim(&set, 0.5);
    assert_eq!(differs(one().fit(&mut *net(), &normalised)), pixels);
    let moved = few(&digits).random_shifts(1);
    assert_eq!(differs(one().fit(&mut *net(), &moved)), pixels);
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
    let state = refuse(&sealed(replaced(r#"\"batch\":0"#, r#"\"batch\":9"#)));
    assert!(matches!(state, CheckpointDefect::State { reason } if reason.contains("batch 9 of 8")));
    let state = refuse(&sealed(replaced(r#"\"images\":0"#, r#"\"images\":1"#)));
    assert!(matches!(state, CheckpointDefect::State { .. }));
    let state = refuse(&sealed(replaced(r#"\"batch\":0"#, r#"\"botch\":0"#)));
    assert!(matches!(state, CheckpointDefect::State { reason } if reason.contains("botch")));
    let slot = refuse(&replaced("slot1.conv1.bias", "slot2.conv1.bias"));
    assert!(matches!(slot, CheckpointDefect::Weights(_)));
    let mut bytes = good.clone();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(matches!(
        refuse(&sealed(bytes)),
        CheckpointDefect::Weights(_)
    ));

    // One bit anywhere: in each byte of the header, and in every 23rd of the scalars.
    let header = 8 + usize::from_le_bytes(good[..8].try_into().unwrap());
    let (mut flipped, mut told) = (good.clone(), 0);
    for at in (0..header).chain((header..good.len()).step_by(23)) {
        flipped[at] ^= 1 << (at % 8);
        told += usize::from(matches!(
            refuse(&flipped),
            CheckpointDefect::Checksum { .. }
        ));
        flipped[at] = good[at];
    }
    assert!(told > 300, "{told}");
    // As it was before there were checksums.
    let state = refuse(&replaced(&note(&good)[..9], r#"{\"a\":  "#));
    assert!(matches!(state, CheckpointDefect::State { reason } if reason.contains("no checksum")));

    fs::write(&path, &good).unwrap();
    assert!(trainer().checkpoint(&path).fit(&mut *net(), &set).is_ok());
}

/// What is noted of the training: a checksum, and the state.
fn note(bytes: &[u8]) -> String {
    let header = 8 + usize::from_le_bytes(bytes[..8].try_into().unwrap());
    let json: serde_json::Value = serde_json::from_slice(&bytes[8..header]).unwrap();
    json["__metadata__"]["convnet.training"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The same with the checksum that it should have.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let header = 8 + usize::from_le_bytes(bytes[..8].try_into().unwrap());
    let note = note(&bytes);
    let mut crc = flate2::Crc::new();
    crc.update(&note.as_bytes()[9..]);
    crc.update(&bytes[header..]);
    let old = &note.as_bytes()[..8];
    let at = bytes.windows(8).position(|part| part == old).unwrap();
    bytes[at..at + 8].copy_from_slice(format!("{:08x}", crc.sum()).as_bytes());
    bytes
}

/// The same images, every pixel times a factor.
struct Dim<S>(S, f64);

impl<S: Samples> Samples for Dim<S> {
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
        image.iter_mut().for_each(|pixel| *pixel *= T::of(self.1));
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        self.0.augmented(index, image, rng);
        image.iter_mut().for_each(|pixel| *pixel *= T::of(self.1));
    }
}

#[test]
fn a_schedule_may_be_told_of_more_epochs() {
    let digits = digits();
    let (set, path) = (few(&digits), checkpoint("rescheduled"));
    let run = |epochs, rate| {
        let cosine = move |steps| Cosine {
            rate,
            floor: 0.0,
            steps,
        };
        let trainer = trainer().epochs(epochs).schedule(cosine).checkpoint(&path);
        trainer.fit(&mut *net(), &set)
    };
    assert_eq!(run(2, 0.01).unwrap().rescheduled, 0);
    let more = run(4, 0.01).unwrap();
    assert_eq!(more.rescheduled, 2);
    // The first two along 16 steps, the others along 32.
    let cosine = |steps| Cosine {
        rate: 0.01,
        floor: 0.0,
        steps,
    };
    for (epoch, steps) in [(0, 16), (1, 16), (2, 32), (3, 32)] {
        let expected = convnet_core::Schedule::rate(&cosine(steps), epoch * 8 + 7);
        assert_eq!(more.epochs[epoch as usize].learning_rate, expected);
    }
    // Nothing is left to do, and it is still known.
    assert_eq!(timeless(run(4, 0.01).unwrap()), timeless(more));
    let error = run(6, 0.02).unwrap_err();
    let TrainError::Checkpoint(CheckpointError {
        defect: CheckpointDefect::Other { what, .. },
        ..
    }) = error
    else {
        panic!("{error}")
    };
    assert_eq!(what, "learning rate");
}

/// Before the first step: the first image that is seen would end the training with another error.
#[test]
fn where_no_checkpoint_can_be_written_is_found_out_at_once() {
    let digits = digits();
    let set = few(&digits);
    let refuse = |path: &Path, words: &str| {
        let mut net = net();
        let trainer = trainer().checkpoint(path);
        let error = trainer.fit(&mut *net, &trap(&set, 0)).unwrap_err();
        let TrainError::Checkpoint(CheckpointError {
            defect: CheckpointDefect::Place(source),
            ..
        }) = &error
        else {
            panic!("{error}")
        };
        assert!(source.to_string().contains(words), "{error}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("checkpoint {}: ", path.display()))
        );
        assert_eq!(bits(&net), bits(&common::training::net()));
    };
    let file = checkpoint("plain");
    fs::write(&file, "no folder").unwrap();
    refuse(&file.with_file_name("none").join("digits"), "");
    refuse(&file.join("digits"), "");
    refuse(file.parent().unwrap(), "folder");
    refuse(Path::new(""), "no file");
    assert_eq!(fs::read(&file).unwrap(), b"no folder");
    if cfg!(unix) {
        refuse(Path::new("/dev/full"), "device");
        refuse(Path::new("/dev/zero"), "device");
        let pipe = checkpoint("pipe");
        match Command::new("mkfifo").arg(&pipe).status() {
            Ok(made) if made.success() => refuse(&pipe, "pipe"),
            made => eprintln!("SKIPPED: a pipe is refused, for mkfifo makes none: {made:?}"),
        }
        let _ = fs::remove_file(pipe);
    }

    // Where even root may write nothing.
    if cfg!(target_os = "linux") && Path::new("/sys/kernel").is_dir() {
        refuse(Path::new("/sys/digits"), "");
    }
    let folder = checkpoint("folder").with_file_name("read_only");
    let _ = fs::create_dir(&folder);
    let lock = |locked| {
        let mut permissions = fs::metadata(&folder).unwrap().permissions();
        permissions.set_readonly(locked);
        fs::set_permissions(&folder, permissions).unwrap();
    };
    lock(true);
    let probe = folder.join("probe");
    if fs::write(&probe, "").is_ok() {
        let _ = fs::remove_file(probe);
        eprintln!(
            "SKIPPED: a folder of one's own that is read-only, for this user may write there all the same"
        );
    } else {
        refuse(&folder.join("digits"), "");
    }
    lock(false);
}
