//! Networks and sets in a few words that tell them from others.

use std::any::type_name;
use std::fmt::Write;

use flate2::Crc;

use crate::data::Samples;
use crate::{Network, Tensor};

/// Size, scalar, and a checksum of every tensor and layer.
pub(super) fn network<N: Network>() -> String {
    let mut text = String::new();
    for Tensor { name, shape, .. } in N::TENSORS {
        let _ = write!(text, "{name} {shape:?};");
    }
    for layer in N::LAYERS {
        let _ = write!(
            text,
            "{} {} {} {:?};",
            layer.name, layer.word, layer.detail, layer.volume
        );
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

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
