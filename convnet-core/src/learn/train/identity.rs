//! Networks and sets in a few words that tell them from others.

use std::any::type_name;
use std::fmt::Write;

use flate2::Crc;

use crate::data::{Samples, Target};
use crate::{Network, Parameters, Real, Rng, Tensor};

/// Size, scalar, and a checksum of every tensor and layer.
pub(super) fn network<N: Network>() -> String {
    let mut text = String::new();
    for Tensor { name, shape, .. } in N::TENSORS {
        let _ = write!(text, "{name} {shape:?};");
    }
    for layer in N::LAYERS {
        let _ = write!(text, "{} {} {:?};", layer.name, layer.op, layer.volume);
    }
    let parameters: usize = N::TENSORS.iter().map(Tensor::len).sum();
    format!(
        "{parameters} parameters of {}, #{:08x}",
        type_name::<N::Scalar>(),
        checksum(text.as_bytes())
    )
}

/// Count, size, and a checksum of the labels.
pub(super) fn samples<S: Samples<Y>, Y: Target>(samples: &S) -> String {
    let mut crc = Crc::new();
    for index in labels(samples) {
        samples.label(index).digest(&mut |bytes| crc.update(bytes));
    }
    let ([h, w, d], checksum) = (samples.shape(), crc.sum());
    format!("{} images of {w}x{h}x{d}, #{checksum:08x}", samples.len())
}

/// The images whose labels are looked at before a training: all; but where labels are large, as many as
/// make some four million numbers, evenly spread.
pub(super) fn labels<S: Samples<Y>, Y: Target>(
    samples: &S,
) -> impl Iterator<Item = usize> + use<S, Y> {
    let mut bytes = 0;
    if !samples.is_empty() {
        samples.label(0).digest(&mut |more| bytes += more.len());
    }
    let few = bytes <= size_of::<u64>();
    spread(
        samples.len(),
        if few { 0 } else { bytes / size_of::<f32>() },
    )
}

/// All of so many images, or as many as make some four million numbers, `size` each, evenly spread.
fn spread(len: usize, size: usize) -> impl Iterator<Item = usize> {
    let images = match MOST_NUMBERS.checked_div(size) {
        Some(images) => images.max(LEAST_IMAGES).min(len),
        None => len,
    };
    (0..images).map(move |number| number * len / images)
}

/// A checksum of the pixels of all images, or of as many as make some four million numbers, evenly
/// spread: as `training` sees them once, or as they are.
pub(super) fn pixels<T: Real, S: Samples<Y>, Y: Target>(samples: &S, training: bool) -> String {
    let size: usize = samples.shape().iter().product();
    let (mut image, mut crc) = (vec![T::ZERO; size], Crc::new());
    for index in spread(samples.len(), size) {
        match training {
            true => samples.augmented(index, &mut image, &mut Rng::stream(0, index as u64)),
            false => samples.image(index, &mut image),
        }
        crc.update(bytemuck::cast_slice(&image));
    }
    format!("#{:08x}", crc.sum())
}

/// Whether all tensors learn alike, and if not a checksum of how.
pub(super) fn factors(factors: &[f64]) -> String {
    match factors.iter().all(|&factor| factor == 1.0) {
        true => "all alike".to_owned(),
        false => format!("#{:08x}", checksum(bytemuck::cast_slice(factors))),
    }
}

/// A checksum of every scalar.
pub(super) fn parameters<P: Parameters>(parameters: &P) -> u32 {
    let mut crc = Crc::new();
    (0..P::TENSORS.len())
        .for_each(|index| crc.update(bytemuck::cast_slice(parameters.tensor(index))));
    crc.sum()
}

/// A moment's work, where a large set of images on a disk would take minutes.
const MOST_NUMBERS: usize = 1 << 22;
const LEAST_IMAGES: usize = 16;

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
