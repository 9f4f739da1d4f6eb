//! How fast a training is: on ranks, on threads, from memory or from a packed file.
//!
//! ```sh
//! target/release/examples/bench --threads 2             # one process: tiny VGG, 32x32x3, batches of 64
//! mpirun -n 2 target/release/examples/bench --threads 1 # two ranks
//! mpirun -n 2 target/release/examples/bench --normed    # with batch norms, at which all images wait for each other
//! mpirun -n 2 target/release/examples/bench --two-lines # what is whole of the gradient travels during backward, as it does between hosts
//! target/release/examples/bench --packed FILE --images 170000   # 8 GB of generated images, from the disk
//! ```
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fmt, fs};

use convnet::data::{Images, Packer, Samples, Streamed};
use convnet::optim::Sgd;
use convnet::train::{Progress, Trainer};
use convnet::{Rng, Trainable, convnet};
use convnet_mpi::Ranks;
use pico_args::Arguments;

convnet! {
    /// The tiny VGG of docs/performance.md.
    struct Vgg {
        input(32x32x3),
        conv(32, 3x3, pad = 1), relu, conv(32, 3x3, pad = 1), relu, max_pool(2x2),
        conv(64, 3x3, pad = 1), relu, conv(64, 3x3, pad = 1), relu, max_pool(2x2),
        conv(128, 3x3, pad = 1), relu, conv(128, 3x3, pad = 1), relu, max_pool(2x2),
        fc(256), relu, fc(10),
    }
}

convnet! {
    /// The same with batch norms.
    struct Normed {
        input(32x32x3),
        conv(32, 3x3, pad = 1, bias = none), batch_norm, relu,
        conv(32, 3x3, pad = 1, bias = none), batch_norm, relu, max_pool(2x2),
        conv(64, 3x3, pad = 1, bias = none), batch_norm, relu,
        conv(64, 3x3, pad = 1, bias = none), batch_norm, relu, max_pool(2x2),
        conv(128, 3x3, pad = 1, bias = none), batch_norm, relu,
        conv(128, 3x3, pad = 1, bias = none), batch_norm, relu, max_pool(2x2),
        fc(256), relu, fc(10),
    }
}

convnet! {
    /// So fast that reading images counts.
    struct Fast { input(128x128x3), conv(8, 8x8, stride = 4), relu, global_avg_pool, fc(10) }
}

fn main() -> ExitCode {
    convnet_mpi::run(run)
}

fn run(ranks: &Ranks) -> Result<(), Box<dyn Error>> {
    let mut options = Arguments::from_env();
    let threads = options.opt_value_from_str("--threads")?.unwrap_or(1);
    let epochs = options.opt_value_from_str("--epochs")?.unwrap_or(3);
    let window = options.opt_value_from_str("--window")?.unwrap_or(0);
    let packed: Option<PathBuf> = options.opt_value_from_str("--packed")?;
    let [large, normed] = ["--large", "--normed"].map(|it| options.contains(it));
    let ranks = &match ["--one-line", "--two-lines"].map(|it| options.contains(it)) {
        [true, _] => ranks.clone().overlapped(false),
        [false, true] => ranks.clone().overlapped(true),
        [false, false] => ranks.clone(),
    };
    let default = if packed.is_some() || large { 2048 } else { 512 };
    let images = options.opt_value_from_str("--images")?.unwrap_or(default);
    let settings = (ranks, threads, epochs);
    match packed {
        Some(path) => {
            if ranks.rank() == 0 && !path.exists() {
                generate(&path, images)?;
            }
            let set = Streamed::packed([&path])?.shuffled_within(window);
            train(&mut *Fast::random(1), &set, settings)
        }
        None if large => train(
            &mut *Fast::random(1),
            &memory([128, 128, 3], images)?,
            settings,
        ),
        None if normed => train(
            &mut *Normed::random(1),
            &memory([32, 32, 3], images)?,
            settings,
        ),
        None => train(
            &mut *Vgg::random(1),
            &memory([32, 32, 3], images)?,
            settings,
        ),
    }
}

fn train<N>(
    net: &mut N,
    set: &impl Samples,
    (ranks, threads, epochs): (&Ranks, usize, usize),
) -> Result<(), Box<dyn Error>>
where
    N: Trainable<Scalar = f32> + Send + Sync,
{
    let trainer = Trainer::new(Sgd::default())
        .batch_size(64)
        .epochs(epochs)
        .threads(threads)
        .progress(Progress::Silent)
        .reduce(ranks.clone());
    let history = trainer.fit(net, set)?;
    let best = history.epochs.iter().map(|epoch| epoch.images_per_second);
    let best = best.fold(0.0, f64::max);
    let waits = history.epochs.last().map(|epoch| Millis(&epoch.waits));
    if ranks.rank() == 0 {
        let (count, memory) = (ranks.count(), memory_used()?);
        println!(
            "{count} ranks of {threads} threads: {best:.0} images/s, {memory} MB at most, waits {}",
            waits.unwrap_or(Millis(&[]))
        );
    }
    Ok(())
}

fn memory(shape: [usize; 3], images: usize) -> Result<Images, Box<dyn Error>> {
    let mut rng = Rng::new(7);
    let size: usize = shape.iter().product();
    let pixels = (0..images * size).map(|_| rng.below(256) as u8).collect();
    Ok(Images::new(
        shape,
        10,
        pixels,
        (0..images).map(|index| index % 10).collect(),
    )?)
}

fn generate(path: &Path, images: usize) -> Result<(), Box<dyn Error>> {
    let (mut rng, mut packer) = (Rng::new(7), Packer::new(path, [128, 128, 3])?);
    let mut pixels: Vec<u8> = (0..128 * 128 * 3).map(|_| rng.below(256) as u8).collect();
    for index in 0..images {
        pixels.rotate_left(1 + rng.below(97));
        packer.push(&pixels, index % 10)?;
    }
    packer.finish(10, &[])?;
    Ok(())
}

/// The most that was resident, without what the system keeps of files.
fn memory_used() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.unwrap_or("0").parse::<usize>()? / 1024)
}

/// Seconds of each rank in milliseconds.
struct Millis<'a>(&'a [f64]);

impl fmt::Display for Millis<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|wait| write!(f, "{:.2} ", 1e3 * wait))?;
        f.write_str("ms a step")
    }
}
