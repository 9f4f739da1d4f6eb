//! A training that is killed again and again ends as one that was left alone.
#![cfg(all(feature = "train", unix))]

mod common {
    pub(crate) mod digit;
}

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use common::digit::Digit;
use convnet_core::data::{self, Images, Subset};
use convnet_core::init::Init;
use convnet_core::optim::Adam;
use convnet_core::train::{CheckpointDefect, CheckpointError, TrainError, Trainer};
use convnet_core::weights::WeightsError;
use convnet_core::{Parameters, Rng};

/// Where the process to be killed keeps its checkpoint.
const PATH: &str = "CONVNET_KILL_TEST_CHECKPOINT";
const KILLS: usize = 12;
const MOST_MILLISECONDS: usize = 150;

fn images() -> Subset<&'static Images> {
    static DIGITS: OnceLock<Images> = OnceLock::new();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/digits.csv.gz"
    );
    let digits = DIGITS.get_or_init(|| data::digits(path).unwrap());
    data::split(digits, 0.05, 3).unwrap().1
}

fn trainer(epochs: usize) -> Trainer<Adam> {
    let trainer = Trainer::new(Adam::default()).epochs(epochs);
    trainer.validation_share(0.2).patience(epochs)
}

fn bits(net: &Digit) -> Vec<u32> {
    let tensors = (0..Digit::<f32>::TENSORS.len()).map(|index| net.tensor(index));
    tensors
        .flat_map(|tensor| tensor.iter().map(|w| w.to_bits()))
        .collect()
}

fn train(checkpoint: Option<&Path>) -> Vec<u32> {
    let mut net: Box<Digit> = bytemuck::zeroed_box();
    Init::default().fill(&mut *net, 1);
    let trainer = trainer(40);
    let trainer = match checkpoint {
        None => trainer,
        Some(path) => trainer.checkpoint(path).checkpoint_every(1),
    };
    trainer.fit(&mut *net, &images()).unwrap();
    bits(&net)
}

#[test]
#[ignore = "the process that the other test kills"]
fn the_victim() {
    train(Some(
        env::var_os(PATH)
            .expect("called by the other test")
            .as_ref(),
    ));
}

/// Until one ends by itself, or `KILLS` are dead: at moments from the first millisecond on, so in the middle
/// of a file too.
#[test]
fn kills_at_any_moment_change_no_bit() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("killed");
    let _ = fs::remove_file(&path);
    let (mut rng, mut killed) = (Rng::new(5), 0);
    while killed < KILLS {
        let begun = path.exists();
        let mut victim = Command::new(env::current_exe().unwrap())
            .args(["--exact", "the_victim", "--ignored"])
            .env(PATH, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !path.exists() {
            sleep(Duration::from_millis(1));
        }
        // The first is killed as soon as there is a file, the others wherever they are.
        let moment = if begun {
            rng.below(MOST_MILLISECONDS)
        } else {
            0
        };
        sleep(Duration::from_millis(moment as u64));
        victim.kill().unwrap();
        if victim.wait().unwrap().code().is_some() {
            break;
        }
        killed += 1;
    }
    assert!(
        killed > 2,
        "the victims ended before they were killed: give them more epochs"
    );
    let whole = Path::new(env!("CARGO_TARGET_TMPDIR")).join("not_killed");
    let _ = fs::remove_file(&whole);
    assert!(train(Some(&path)) == train(Some(&whole)));
    assert!(train(Some(&path)) == train(None));
    assert!(
        scalars(&path) == scalars(&whole),
        "the checkpoints are the same, slots too"
    );
    assert!(!path.with_file_name("killed.tmp").exists());
}

/// The bytes behind the header, in which there are times.
fn scalars(checkpoint: &Path) -> Vec<u8> {
    let bytes = fs::read(checkpoint).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    bytes[8 + header as usize..].to_vec()
}

/// Where no more can be written, the last checkpoint stays, nothing is left beside it, and the training
/// goes on from it when there is room again. Files are as short as a full disk would make them, by a limit
/// of the shell that no root is exempt from.
#[test]
fn a_full_disk_costs_no_checkpoint() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("starved");
    let _ = fs::remove_file(&path);
    let run = |limit: &str| {
        Command::new("sh")
            .args([
                "-c",
                &format!("trap '' XFSZ && {limit} && exec \"$@\""),
                "sh",
            ])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "the_starved", "--ignored"])
            .env(PATH, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
    };
    // Of 512 or 1,024 bytes each.
    let starve = "ulimit -f 4";
    let probe = Command::new("sh").args(["-c", starve]).status();
    if !probe.is_ok_and(|probe| probe.success()) {
        eprintln!("SKIPPED: a full disk, for no shell limits the size of files");
        return;
    }
    let few = |epochs| {
        let mut net: Box<Digit> = bytemuck::zeroed_box();
        let result = trainer(epochs).checkpoint(&path).fit(&mut *net, &images());
        result.map(|_| net)
    };
    few(1).unwrap();
    let (before, saved) = (fs::read(&path).unwrap(), few(1).unwrap());
    assert!(before.len() > 8192);
    assert!(run(starve).success(), "an error of its own, and no panic");
    assert!(fs::read(&path).unwrap() == before);
    assert!(!path.with_file_name("starved.tmp").exists());
    assert!(bits(&few(1).unwrap()) == bits(&saved));
    few(2).unwrap();
    assert!(fs::read(&path).unwrap() != before);
}

#[test]
#[ignore = "the process that the other test gives no room"]
fn the_starved() {
    let path = env::var_os(PATH).expect("called by the other test");
    let mut net: Box<Digit> = bytemuck::zeroed_box();
    let error = trainer(2).checkpoint(path).fit(&mut *net, &images());
    let error = error.unwrap_err();
    let TrainError::Checkpoint(CheckpointError {
        defect: CheckpointDefect::Weights(WeightsError::Io { .. }),
        ..
    }) = error
    else {
        panic!("{error}")
    };
}
