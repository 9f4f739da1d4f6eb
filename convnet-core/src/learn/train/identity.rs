//! Networks and sets in a few words that tell them from others.

use std::any::type_name;
use std::fmt::Write;

use flate2::Crc;

use crate::data::Samples;
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
pub(super) fn samples<S: Samples>(samples: &S) -> String {
    let labels = (0..samples.len()).flat_map(|index| (samples.label(index) as u64).to_le_bytes());
    let [h, w, d] = samples.shape();
    let checksum = checksum(&labels.collect::<Vec<_>>());
    format!("{} images of {w}x{h}x{d}, #{checksum:08x}", samples.len())
}

/// A checksum of the pixels of all images, or of as many as make some four million numbers, evenly
/// spread: as `training` sees them once, or as they are.
pub(super) fn pixels<T: Real, S: Samples>(samples: &S, training: bool) -> String {
    let size: usize = samples.shape().iter().product();
    let images = (MOST_PIXELS / size.max(1))
        .max(LEAST_IMAGES)
        .min(samples.len());
    let (mut image, mut crc) = (vec![T::ZERO; size], Crc::new());
    for number in 0..images {
        let index = number * samples.len() / images;
        match training {
            true => samples.augmented(index, &mut image, &mut Rng::stream(0, index as u64)),
            false => samples.image(index, &mut image),
        }
        crc.update(bytemuck::cast_slice(&image));
    }
    format!("#{:08x}", crc.sum())
}

/// A checksum of every scalar.
pub(super) fn parameters<P: Parameters>(parameters: &P) -> u32 {
    let mut crc = Crc::new();
    (0..P::TENSORS.len())
        .for_each(|index| crc.update(bytemuck::cast_slice(parameters.tensor(index))));
    crc.sum()
}

/// A moment's work, where a large set of images on a disk would take minutes.
const MOST_PIXELS: usize = 1 << 22;
const LEAST_IMAGES: usize = 16;

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
