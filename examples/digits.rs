//! Lesson 4, training: a network learns to read handwritten digits, in seconds.
//!
//! `cargo run --release --example digits`; with `-- --int8` the network in bytes, too
//!
//! The data is in the repository: 1,797 digits of 8x8 pixels (`examples/data/README.md`).
#![forbid(unsafe_code)]

#[path = "common/int8.rs"]
mod int8;
#[path = "common/options.rs"]
mod options;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use convnet::data::{self, Samples};
use convnet::loss::{SoftmaxCrossEntropy, softmax};
use convnet::optim::Adam;
use convnet::report::Report;
use convnet::schedule::Cosine;
use convnet::train::{Trainer, evaluate};
use convnet::{Volume, convnet, weights};

convnet! {
    /// Reads a digit of 8x8 pixels.
    pub struct Digits {
        input(8x8x1),
        conv1: conv(16, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(32, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        dropout(0.25),
        scores: fc(10),
    }
}
convnet::int8!(Digits);

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz");

const HELP: &str = "\
--data FILE     the digits, as CSV (examples/data/digits.csv.gz)
--epochs N      how often each training image is seen (30)
--seed N        decides all that is random (231)
--weights FILE  where the weights go (digits.safetensors among the temporary files)
--report FILE   where a page of pictures goes (digits.html among the temporary files)
--int8          the network in bytes, too: its size, and how often it is right
--fine-tune N   then trains on, with what bytes make of it in view: so many epochs (0)";

struct Options {
    data: PathBuf,
    epochs: usize,
    seed: u64,
    weights: PathBuf,
    report: PathBuf,
    int8: Option<usize>,
}

fn main() -> ExitCode {
    let options = options::read(HELP, |arguments| {
        let weights = std::env::temp_dir().join("digits.safetensors");
        let report = std::env::temp_dir().join("digits.html");
        Ok(Options {
            data: options::value(arguments, "--data", DATA.into())?,
            epochs: options::value(arguments, "--epochs", 30)?,
            seed: options::value(arguments, "--seed", 231)?,
            weights: options::value(arguments, "--weights", weights)?,
            report: options::value(arguments, "--report", report)?,
            int8: int8::read(arguments)?,
        })
    });
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let digits = data::digits(&options.data)?;
    // A fifth is held out: training never sees it.
    let (training, test) = data::split(&digits, 0.2, options.seed)?;
    let mut net = Digits::random(options.seed);
    println!("{net}\n");

    let begin = Instant::now();
    let trainer = Trainer::new(Adam::default())
        .schedule(|steps| Cosine {
            rate: 3e-3,
            floor: 0.0,
            steps,
        })
        .epochs(options.epochs)
        .seed(options.seed);
    let history = trainer.fit(&mut *net, &training)?;
    println!("{} epochs took {:.1?}", options.epochs, begin.elapsed());

    let seen = evaluate(&*net, &test, &SoftmaxCrossEntropy::default())?;
    println!("On digits held out: {seen}\n");
    for index in 0..3 {
        show(&net, &test, index);
    }

    weights::save(&*net, &options.weights)?;
    let mut loaded = Digits::boxed();
    weights::load(&mut *loaded, &options.weights)?;
    for index in 0..test.len() {
        if scores(&net, &test, index) != scores(&loaded, &test, index) {
            return Err(format!("the loaded network sees digit {index} differently").into());
        }
    }
    let path = options.weights.display();
    println!("Saved to {path}, loaded from there: the same scores, bit for bit");
    let found = match options.int8 {
        Some(epochs) => {
            let path = options.weights.with_extension("int8.safetensors");
            let (twin, found) = int8::quantize(&mut *net, &training, &test, epochs)?;
            std::fs::write(&path, twin.to_bytes())?;
            println!("Saved to {}", path.display());
            Some(found)
        }
        None => None,
    };
    let mut report = Report::new(&*net)
        .history(&history)
        .evaluation(&seen, &test)
        .images(&test, 0..3);
    if let Some(found) = &found {
        report = report.int8(found);
    }
    report.write(&options.report)?;
    let path = options.report.display();
    println!("Drawn in {path}: open it in a browser");
    Ok(())
}

fn scores(net: &Digits, set: &impl Samples, index: usize) -> [f32; 10] {
    let (mut image, mut arena) = (Volume::boxed(), Digits::arena());
    set.image(index, image.as_mut_slice());
    net.forward(&image, &mut arena)[0][0]
}

/// Draws a digit, and beside it the five classes with the highest scores.
fn show(net: &Digits, set: &impl Samples, index: usize) {
    let mut probabilities = [0.0; 10];
    softmax(&scores(net, set, index), &mut probabilities);
    let mut classes: Vec<usize> = (0..10).collect();
    classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));

    let mut image = [0.0; 64];
    set.image(index, &mut image);
    let shade = |&p: &f64| [" ", "░", "▒", "▓", "█"][(p * 4.0).round() as usize].repeat(2);
    let best = classes.into_iter().take(5).map(|class| {
        let share = probabilities[class];
        let bar = "▇".repeat((share * 20.0).round() as usize);
        format!("{class}  {:5.1} %  {bar}", 100.0 * share)
    });
    let title = std::iter::once(format!(
        "a {}, and what the network takes it for:",
        set.label(index)
    ));
    let mut beside = title.chain(best);
    for row in image.chunks(8) {
        let row: String = row.iter().map(shade).collect();
        println!("  {row}    {}", beside.next().unwrap_or_default());
    }
    println!();
}
