//! Training: images a second, with all that a step does.

use std::time::{Duration, Instant};

use convnet::data::Images;
use convnet::init::Init;
use convnet::optim::Sgd;
use convnet::train::{Progress, Trainer};
use convnet::{Rng, Trainable};

use super::nets::{Cifar, LeNet, TinyVgg};
use super::{Options, peak};

/// Steps of one training: it begins with memory that is not there yet, which these outweigh.
const STEPS: usize = 20;

pub(crate) fn rows(options: &Options) {
    if !options.json {
        println!("{:?}", convnet::kernel::level());
        println!(
            "{:<14}{:>12}{:>12}{:>10}",
            "", "images/s", "GFLOP/s", "of peak"
        );
    }
    row::<Cifar>(options, "cifar");
    row::<LeNet>(options, "lenet");
    row::<TinyVgg>(options, "tiny_vgg");
}

fn row<N>(options: &Options, name: &str)
where
    N: Trainable<Scalar = f32> + Send + Sync,
{
    if !options.asks_for(name) {
        return;
    }
    let mut net: Box<N> = bytemuck::zeroed_box();
    Init::KaimingUniform.fill(&mut *net, 231);
    let samples = noise::<N>(options.batch * STEPS);
    let trainer = Trainer::new(Sgd::default())
        .batch_size(options.batch)
        .epochs(1)
        .threads(options.threads)
        .progress(Progress::Silent);
    let before = peak::gflops();
    let (mut times, end) = (
        Vec::new(),
        Instant::now() + Duration::from_secs_f64(options.seconds),
    );
    while Instant::now() < end || times.len() < 3 {
        let start = Instant::now();
        trainer.fit(&mut *net, &samples).expect("sound images");
        times.push(start.elapsed());
    }
    times.sort();
    let median = times[times.len() / 2].as_secs_f64();
    let images = (options.batch * STEPS) as f64 / median;
    let peak = before.max(peak::gflops()) * options.threads as f64;
    // Forward, and twice as much backward: as if the first layer's input had a gradient.
    let macs: u64 = N::LAYERS.iter().map(|layer| layer.macs).sum();
    let gflops = 6e-9 * macs as f64 * images;
    if options.json {
        let threads = options.threads;
        println!(
            "{{\"name\":\"{name}\",\"threads\":{threads},\"images_per_second\":{images},\
             \"gflops\":{gflops},\"peak_gflops\":{peak}}}"
        );
    } else {
        println!(
            "{name:<14}{images:>12.0}{gflops:>12.1}{:>8.0} %",
            100.0 * gflops / peak
        );
    }
}

/// Images of noise, of ten classes in turn.
fn noise<N: Trainable>(count: usize) -> Images {
    let [height, width, depth] = <N::Input as convnet::AnyVolume>::SHAPE;
    let mut rng = Rng::new(1);
    let pixels = (0..count * height * width * depth).map(|_| rng.next_u64() as u8);
    let labels = (0..count).map(|i| i * 7 % 10);
    Images::new(
        [height, width, depth],
        10,
        pixels.collect(),
        labels.collect(),
    )
    .expect("as many pixels as the shape says")
}
