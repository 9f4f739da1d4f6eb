//! What a network is worth in bytes: its size, how far each layer is from the numbers, and how often it is right.

use std::error::Error;

use convnet::data::Samples;
use convnet::int8::{Int8, Quantize, Quantized, Report};
use convnet::optim::Adam;
use convnet::schedule::Cosine;
use convnet::train::{Progress, Trainer};
use convnet::{AnyVolume, Network, Trainable};
use pico_args::Arguments;

use crate::options;

/// The options that ask for it.
#[allow(dead_code, reason = "`digits` has a list of options of its own")]
pub(crate) const HELP: &str = "\
--int8             the network in bytes, too: its size, and how often it is right
--fine-tune N      then trains on, with what bytes make of it in view: so many epochs (0)";

/// Whether it is asked for, and how many epochs of fine-tuning.
pub(crate) fn read(arguments: &mut Arguments) -> Result<Option<usize>, pico_args::Error> {
    let asked = arguments.contains("--int8");
    let epochs = options::value(arguments, "--fine-tune", 0)?;
    Ok((asked || epochs > 0).then_some(epochs))
}

/// Images that show which numbers each volume has.
const SEEN: usize = 200;

/// A twin, and its report.
type Found<N> = (Box<Int8<N>>, Report);

/// The twin of a network that has learned, and its report; prints both, and how often either is right on `test`.
pub(crate) fn quantize<N, const F: usize, const C: usize, const V: usize>(
    net: &mut N,
    training: &impl Samples,
    test: &impl Samples,
    epochs: usize,
) -> Result<Found<N>, Box<dyn Error>>
where
    N: Quantize<Int8 = Quantized<N, F, C, V>> + Trainable + Send + Sync,
{
    let seen: Vec<_> = (0..SEEN.min(training.len()))
        .map(|index| image::<N>(training, index))
        .collect();
    let mut twin = net.quantize(&seen)?;
    println!("\n{}\n", twin.report(net, &seen));
    let mut arena = bytemuck::zeroed_box();
    let numbers = right::<N>(test, |image| best(net.forward(image, &mut arena)));
    let in_bytes = right_in_bytes(&twin, test);
    println!("On the test set: f32 {numbers:.2} % right, int8 {in_bytes:.2} %");
    if epochs > 0 {
        Trainer::new(Adam::default())
            .schedule(|steps| Cosine {
                rate: 1e-4,
                floor: 0.0,
                steps,
            })
            .batch_size(64)
            .epochs(epochs)
            .progress(Progress::Lines)
            .fine_tune(net, &mut twin, training)?;
        let in_bytes = right_in_bytes(&twin, test);
        println!("On the test set, fine-tuned: int8 {in_bytes:.2} %");
    }
    let found = twin.report(net, &seen);
    Ok((twin, found))
}

fn image<N: Network<Scalar = f32>>(set: &impl Samples, index: usize) -> Box<N::Input> {
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    set.image(index, image.as_mut_slice());
    image
}

/// Of a hundred images, how many are answered by their label.
fn right<N: Network<Scalar = f32>>(
    test: &impl Samples,
    mut answer: impl FnMut(&N::Input) -> usize,
) -> f64 {
    let is_right = |index: &usize| answer(&image::<N>(test, *index)) == test.label(*index);
    100.0 * (0..test.len()).filter(is_right).count() as f64 / test.len() as f64
}

fn right_in_bytes<N, const F: usize, const C: usize, const V: usize>(
    twin: &Quantized<N, F, C, V>,
    test: &impl Samples,
) -> f64
where
    N: Quantize<Int8 = Quantized<N, F, C, V>>,
{
    let prepared = twin.prepare();
    let (mut bytes, mut arena) = (bytemuck::zeroed_box(), prepared.arena());
    right::<N>(test, |image| {
        twin.encode(image, &mut bytes);
        best(prepared.forward(&bytes, &mut arena))
    })
}

/// The place of the highest of the scores, the first of equals.
fn best<V: AnyVolume<Scalar: PartialOrd>>(scores: &V) -> usize {
    let scores = scores.as_slice().iter().enumerate();
    let best = scores.reduce(|best, it| if it.1 > best.1 { it } else { best });
    best.map_or(0, |(place, _)| place)
}
