//! What other runtimes compute the same networks from: models with the same weights, an image, and its scores.

use std::error::Error;
use std::fs;
use std::path::Path;

use convnet::prepare::{Prepare, Prepared};
use convnet::{AnyVolume, onnx};

/// `PATH.onnx`; and, depth first, in little-endian `f32`, `PATH.image` and `PATH.scores`.
pub(crate) fn write<N: Prepare<Scalar = f32>>(
    path: &Path,
    net: &Prepared<Box<N>>,
    image: &N::Input,
) -> Result<(), Box<dyn Error>> {
    onnx::write(&**net.network(), path.with_extension("onnx"))?;
    fs::write(path.with_extension("image"), depth_first(image))?;
    let scores = depth_first(net.forward(image, &mut net.arena()));
    Ok(fs::write(path.with_extension("scores"), scores)?)
}

fn depth_first<V: AnyVolume<Scalar = f32>>(volume: &V) -> Vec<u8> {
    let ([_, _, depth], values) = (V::SHAPE, volume.as_slice());
    let slices = (0..depth).map(|slice| values.iter().skip(slice).step_by(depth));
    slices.flatten().flat_map(|it| it.to_le_bytes()).collect()
}
