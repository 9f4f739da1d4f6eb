//! How fast networks run here: median time, GFLOP/s, and the share of the multiply-add peak that
//! was measured in the same run; batch 1, one thread. With `--training`, how many images a second
//! they learn from; with `--process`, how long a process takes to its first scores, and how much memory.
//!
//! `cargo run --release --example bench [-- --json] [--only NAME] [--level avx2] [--images 16] [--training [--threads 2]]`,
//! or `cargo bench` with the same options.

#[path = "../zoo/networks/googlenet.rs"]
mod googlenet;
mod int8;
#[path = "../zoo/networks/mobile.rs"]
#[allow(dead_code, reason = "the zoo measures the others")]
mod mobile;
#[path = "../zoo/networks/mobilenet.rs"]
mod mobilenet;
#[cfg(feature = "onnx")]
mod models;
mod nets;
#[path = "../common/options.rs"]
mod options;
#[path = "../common/peak.rs"]
mod peak;
mod process;
#[path = "../zoo/networks/resnet.rs"]
#[allow(dead_code, reason = "the zoo measures the other one")]
mod resnet;
#[path = "../zoo/networks/resnet50.rs"]
mod resnet50;
#[path = "../zoo/networks/squeezenet.rs"]
#[allow(dead_code, reason = "the zoo measures the other one")]
mod squeezenet;
mod training;

use std::hint::black_box;
use std::num::NonZero;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use convnet::kernel::{levels, with_level};
use convnet::prepare::{Precision, Prepare, Prepared};
use convnet::{AnyVolume, Network, OnHeap, Rng};
use nets::*;

const HELP: &str = "\
Measures networks.

--json         one line of JSON a row
--only NAME    only the network of this name
--raw          the weights as declared, not prepared
--no-winograd  prepared, but direct sums only
--bfloat16     prepared, with the filters of large `fc`s rounded to bfloat16
--int8         in bytes, those networks that have an int8 form
--machine NAME how bytes are multiplied: vnni512, vnni256 or maddubs (this machine's best)
--images N     prepared, so many images at a time; a row is of one of them
--level NAME   the instruction set, by the beginning of its name, avx2 or sse2 say (this machine's best)
--choices      show the algorithm of every layer
--onnx FOLDER  write the networks there, as ONNX, with an image and its scores (feature onnx)
--training     training: steps of stochastic gradient descent with momentum
--batch N      images a step of training (64)
--threads N    threads that train; or that share the large layers of an image, or images (1)
--process      whole processes: cold start and memory
--seconds S    how long to measure each (0.5)";

struct Options {
    json: bool,
    only: Option<String>,
    raw: bool,
    no_winograd: bool,
    bfloat16: bool,
    int8: bool,
    machine: Option<String>,
    images: Option<NonZero<u32>>,
    level: Option<String>,
    choices: bool,
    #[cfg(feature = "onnx")]
    onnx: Option<std::path::PathBuf>,
    training: bool,
    batch: usize,
    threads: usize,
    process: bool,
    /// What one of those processes does.
    task: Option<process::Task>,
    seconds: f64,
}

pub(crate) fn main() -> ExitCode {
    let options = options::read(HELP, |arguments| {
        // What `cargo bench` says to every benchmark.
        arguments.contains("--bench");
        Ok(Options {
            json: arguments.contains("--json"),
            only: arguments.opt_value_from_str("--only")?,
            raw: arguments.contains("--raw"),
            no_winograd: arguments.contains("--no-winograd"),
            bfloat16: arguments.contains("--bfloat16"),
            int8: arguments.contains("--int8"),
            machine: arguments.opt_value_from_str("--machine")?,
            images: arguments.opt_value_from_str("--images")?,
            level: arguments.opt_value_from_str("--level")?,
            choices: arguments.contains("--choices"),
            #[cfg(feature = "onnx")]
            onnx: arguments.opt_value_from_str("--onnx")?,
            training: arguments.contains("--training"),
            batch: options::value(arguments, "--batch", 64)?,
            threads: options::value(arguments, "--threads", 1)?,
            process: arguments.contains("--process"),
            task: arguments.opt_value_from_str("--task")?,
            seconds: options::value(arguments, "--seconds", 0.5)?,
        })
    });
    if let Some(task) = options.task {
        process::execute(task);
        return ExitCode::SUCCESS;
    }
    let Some(name) = &options.level else {
        return execute(&options);
    };
    let is_named = |level: &_| format!("{level:?}").to_lowercase().starts_with(name);
    let Some(level) = levels().find(is_named) else {
        eprintln!(
            "this machine has no {name}, it has {:?}",
            levels().collect::<Vec<_>>()
        );
        return ExitCode::FAILURE;
    };
    with_level(level, || execute(&options))
}

fn execute(options: &Options) -> ExitCode {
    if options.process {
        return process::rows().unwrap_or_else(|error| {
            eprintln!("cannot start a process: {error}");
            ExitCode::FAILURE
        });
    }
    if options.training {
        training::rows(options);
        return ExitCode::SUCCESS;
    }
    #[cfg(feature = "onnx")]
    let listed = options.onnx.is_some();
    #[cfg(not(feature = "onnx"))]
    let listed = false;
    if !options.json && !listed {
        println!("{:?}", convnet::kernel::level());
        println!(
            "{:<14}{:>12}{:>12}{:>10}{:>10}",
            "", "median ms", "fastest ms", "GFLOP/s", "of peak"
        );
    }
    if options.int8 {
        int8::rows(options);
        return ExitCode::SUCCESS;
    }
    options.row::<Cifar>("cifar");
    options.row::<LeNet>("lenet");
    options.row::<TinyVgg>("tiny_vgg");
    options.row::<AlexNetConv1>("alexnet_conv1");
    options.row::<AlexNet>("alexnet");
    options.row::<Vgg16>("vgg16");
    options.row::<Conv64>("3x3_64_56");
    options.row::<Conv128>("3x3_128_28");
    options.row::<Conv256>("3x3_256_14");
    options.row::<Conv512>("3x3_512_7");
    options.row::<Pointwise>("1x1_256_14");
    options.row::<resnet::ResNet18>("resnet18");
    options.row::<MobileNet25>("mobilenet25_96");
    options.row::<squeezenet::SqueezeNet11>("squeezenet11");
    options.row::<googlenet::GoogLeNet>("googlenet");
    options.row::<resnet50::ResNet50>("resnet50");
    options.row::<mobilenet::MobileNet>("mobilenet");
    options.row::<mobile::MobileNetV2>("mobilenetv2");
    options.row::<mobile::EfficientNetB0>("efficientnet_b0");
    ExitCode::SUCCESS
}

/// A network with random weights, and a random image.
fn drawn<N: OnHeap<Scalar = f32>>() -> (Box<N>, Box<N::Input>) {
    let mut net = N::boxed();
    convnet::init::Init::KaimingUniform.fill(&mut *net, 231);
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    let mut rng = Rng::new(1);
    let pixels = image.as_mut_slice().iter_mut();
    pixels.for_each(|x| *x = rng.normal() as f32);
    (net, image)
}

impl Options {
    fn asks_for(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == name)
    }

    fn row<N: Prepare<Scalar = f32> + OnHeap + Send + Sync>(&self, name: &str) {
        if !self.asks_for(name) {
            return;
        }
        let (net, image) = drawn::<N>();
        let precision = Precision {
            winograd: !self.no_winograd,
            bfloat16: self.bfloat16,
        };
        let net = Prepared::with(net, precision);
        #[cfg(feature = "onnx")]
        if let Some(folder) = &self.onnx {
            models::write(&folder.join(name), &net, &image).expect("a model");
            return println!("{name}");
        }
        let pool = (self.threads > 1 || self.images.is_some()).then(|| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
            pool.build().expect("threads")
        });
        let net = match &pool {
            Some(pool) => pool.install(|| net.parallel()),
            None => net,
        };
        if self.choices {
            println!("{name}:\n{net}");
        }
        let (mut arena, mut raw) = (net.arena(), bytemuck::zeroed_box());
        // Before and after, and the higher of both: a pause of this machine is not a slow peak.
        let before = peak::gflops();
        let images = vec![&*image; self.images.map_or(0, NonZero::get) as usize];
        let mut run = || {
            if self.images.is_some() {
                let times = measure(self.seconds, || {
                    black_box(net.forward_batch(black_box(&images)));
                });
                return times.map(|time| time / images.len() as u32);
            }
            measure(self.seconds, || {
                black_box(match self.raw {
                    true => net.network().forward(black_box(&image), &mut raw),
                    false => net.forward(black_box(&image), &mut arena),
                });
            })
        };
        let [median, fastest] = match &pool {
            Some(pool) => pool.install(run),
            None => run(),
        };
        let peak = before.max(peak::gflops()) * self.threads as f64;
        self.print::<N>(name, [median, fastest], peak);
    }

    fn print<N: Network>(&self, name: &str, [median, fastest]: [Duration; 2], peak: f64) {
        // Two for each multiply-add of the direct sum, as if every tap met the input.
        let gflop = 2e-9 * N::LAYERS.iter().map(|layer| layer.macs).sum::<u64>() as f64;
        let [median_ms, fastest_ms] = [median, fastest].map(|time| time.as_secs_f64() * 1e3);
        let gflops = gflop / median.as_secs_f64();
        if self.json {
            println!(
                "{{\"name\":\"{name}\",\"median_ms\":{median_ms},\"fastest_ms\":{fastest_ms},\
                 \"gflop\":{gflop},\"gflops\":{gflops},\"peak_gflops\":{peak}}}"
            );
        } else {
            let share = 100.0 * gflops / peak;
            println!("{name:<14}{median_ms:>12.4}{fastest_ms:>12.4}{gflops:>10.1}{share:>8.0} %");
        }
    }
}

/// Median and fastest.
fn measure(seconds: f64, mut run: impl FnMut()) -> [Duration; 2] {
    (0..3).for_each(|_| run());
    let mut times = Vec::new();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end || times.len() < 5 {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort();
    [times[times.len() / 2], times[0]]
}
