//! A training that is killed again and again ends as one that was left alone.
#![cfg(all(feature = "train", unix))]

mod common {
    pub(crate) mod digit;
}

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use common::digit::Digit;
use convnet_core::init::Init;
use convnet_core::optim::Adam;
use convnet_core::train::Trainer;
use convnet_core::{Parameters, Rng, data};

/// Where the process to be killed keeps its checkpoint.
const PATH: &str = "CONVNET_KILL_TEST_CHECKPOINT";
const KILLS: usize = 6;

fn train(checkpoint: Option<&Path>) -> Vec<u32> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/digits.csv.gz"
    );
    let digits = data::digits(path).unwrap();
    let (_, few) = data::split(&digits, 0.05, 3).unwrap();
    let mut net: Box<Digit> = bytemuck::zeroed_box();
    Init::default().fill(&mut *net, 1);
    let trainer = Trainer::new(Adam::default())
        .epochs(40)
        .validation_share(0.2)
        .patience(40);
    let trainer = match checkpoint {
        None => trainer,
        Some(path) => trainer.checkpoint(path).checkpoint_every(1),
    };
    trainer.fit(&mut *net, &few).unwrap();
    let tensors = (0..Digit::<f32>::TENSORS.len()).map(|index| net.tensor(index));
    tensors
        .flat_map(|tensor| tensor.iter().map(|w| w.to_bits()))
        .collect()
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

#[test]
fn kills_at_any_moment_change_no_bit() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("killed");
    let _ = fs::remove_file(&path);
    let (mut rng, mut killed) = (Rng::new(5), 0);
    for _ in 0..KILLS {
        let mut victim = Command::new(env::current_exe().unwrap())
            .args(["--exact", "the_victim", "--ignored"])
            .env(PATH, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !path.exists() {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(rng.below(150) as u64));
        victim.kill().unwrap();
        killed += usize::from(victim.wait().unwrap().code().is_none());
    }
    assert!(
        killed > 0,
        "every victim ended before it was killed: give them more epochs"
    );
    assert!(train(Some(&path)) == train(None));
}
