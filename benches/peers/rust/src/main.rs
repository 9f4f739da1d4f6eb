//! The networks of `examples/bench` in tract, rten, burn and candle: what `compare.py` runs, a process a peer and
//! network.
//!
//! ```text
//!  NAME.onnx ──▶ tract, rten                    read it, and make of it what they like
//!            └─▶ model ──▶ burn, candle         step by step, with batch norm folded into the conv before it
//! ```
//!
//! `peers PEER FOLDER NAME --images N --threads T --seconds S` prints a line of JSON as `compare.py --one` does.

mod burn;
mod candle;
mod model;
mod rten;
mod tract;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A network that is ready: all scores of its images, one after the other.
type Run = Box<dyn FnMut() -> Vec<f32>>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What a network is given.
struct Images {
    count: usize,
    /// Depth, height, width.
    size: [usize; 3],
    data: Vec<f32>,
}

impl Images {
    fn shape(&self) -> [usize; 4] {
        let [depth, height, width] = self.size;
        [self.count, depth, height, width]
    }
}

fn main() -> std::result::Result<(), String> {
    asked().map_err(|error| error.to_string())
}

fn asked() -> Result<()> {
    let mut arguments = pico_args::Arguments::from_env();
    let images = arguments.opt_value_from_str("--images")?.unwrap_or(1);
    let threads = arguments.opt_value_from_str("--threads")?.unwrap_or(1);
    let seconds = arguments.opt_value_from_str("--seconds")?.unwrap_or(0.5);
    let peer: String = arguments.free_from_str()?;
    let folder: String = arguments.free_from_str()?;
    let name: String = arguments.free_from_str()?;
    let measure = |ready: &(dyn Fn(&Path, Images) -> Result<Run> + Sync)| {
        let row = measured(&folder, &name, images, seconds, ready);
        row.map_err(|error| error.to_string())
    };
    // Each in its own pool from the start, so that nobody waits for another thread to wake up.
    let row = match &*peer {
        "tract" => measure(&|path, images| tract::ready(path, images, threads)),
        "rten" => {
            let pool = Arc::new(::rten::ThreadPool::with_num_threads(threads));
            pool.run(|| measure(&|path, images| rten::ready(path, images, pool.clone())))
        }
        "burn" | "candle" => {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build_global()?;
            rayon::scope(|_| {
                measure(&|path, images| match &*peer {
                    "burn" => Ok(burn::ready(model::read(path)?, images)),
                    _ => Ok(candle::ready(model::read(path)?, images)?),
                })
            })
        }
        _ => return Err(format!("no peer is called {peer}").into()),
    };
    println!("{}", row?);
    Ok(())
}

/// A line of JSON on one network.
fn measured(
    folder: &str,
    name: &str,
    images: usize,
    seconds: f64,
    ready: &dyn Fn(&Path, Images) -> Result<Run>,
) -> Result<String> {
    let file = |extension| Path::new(folder).join(format!("{name}.{extension}"));
    let path = file("onnx");
    let image = floats(&fs::read(file("image"))?);
    let images = Images {
        count: images,
        size: model::input(&path)?,
        data: image.repeat(images),
    };
    let expected = floats(&fs::read(file("scores"))?);
    let count = images.count as f64;
    let mut run = ready(&path, images)?;

    let difference = difference(&run(), &expected);
    let times = times(&mut run, Duration::from_secs_f64(seconds));
    let [median, fastest] = [times[times.len() / 2], times[0]].map(|time| time / count);
    Ok(format!(
        r#"{{"median_ms": {median}, "fastest_ms": {fastest}, "difference": {difference}}}"#
    ))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let numbers = bytes.chunks_exact(4);
    numbers
        .map(|number| f32::from_le_bytes(number.try_into().unwrap()))
        .collect()
}

/// The largest from what was expected of the last image, of the largest.
fn difference(scores: &[f32], expected: &[f32]) -> f32 {
    let last = &scores[scores.len() - expected.len()..];
    let differences = last
        .iter()
        .zip(expected)
        .map(|(score, expected)| (score - expected).abs());
    differences.fold(0., f32::max)
        / expected
            .iter()
            .fold(0., |most, score| score.abs().max(most))
}

/// In ms, the fastest first; five runs at least.
fn times(run: &mut Run, least: Duration) -> Vec<f64> {
    for _ in 0..3 {
        run();
    }
    let (mut times, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < least || times.len() < 5 {
        let start = Instant::now();
        let scores = run();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        drop(scores);
    }
    times.sort_by(f64::total_cmp);
    times
}
