//! What a network is worth in bytes: its size, how far each layer is from the numbers, and how often it is right.

use convnet::data::Samples;
use convnet::int8::{Int8, Quantize, QuantizeError, Quantized, Report};
use convnet::{AnyVolume, Network};

/// The option that asks for it.
#[allow(dead_code, reason = "`digits` has a list of options of its own")]
pub(crate) const HELP: &str =
    "--int8             the network in bytes, too: its size, and how often it is right";

/// Images that show which numbers each volume has.
const SEEN: usize = 200;

/// The twin of a network that has learned, and its report; prints both, and how often either is right on `test`.
pub(crate) fn quantize<N, const F: usize, const C: usize, const V: usize>(
    net: &N,
    training: &impl Samples,
    test: &impl Samples,
) -> Result<(Box<Int8<N>>, Report), QuantizeError>
where
    N: Quantize<Int8 = Quantized<N, F, C, V>>,
{
    let seen: Vec<_> = (0..SEEN.min(training.len()))
        .map(|index| image::<N>(training, index))
        .collect();
    let twin = net.quantize(&seen)?;
    let found = twin.report(net, &seen);
    println!("\n{found}\n");
    let mut arena = bytemuck::zeroed_box();
    let numbers = right::<N>(test, |image| best(net.forward(image, &mut arena)));
    let (mut bytes, mut arena) = (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let in_bytes = right::<N>(test, |image| {
        twin.encode(image, &mut bytes);
        best(twin.forward(&bytes, &mut arena))
    });
    println!("On the test set: f32 {numbers:.2} % right, int8 {in_bytes:.2} %");
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

/// The place of the highest of the scores, the first of equals.
fn best<V: AnyVolume<Scalar: PartialOrd>>(scores: &V) -> usize {
    let scores = scores.as_slice().iter().enumerate();
    let best = scores.reduce(|best, it| if it.1 > best.1 { it } else { best });
    best.map_or(0, |(place, _)| place)
}
