//! Writes networks as ONNX and TensorFlow Lite, with images and their scores for each: `tests/export.py` holds these
//! against ONNX Runtime and LiteRT.
//!
//! `cargo run --release -p convnet-import --example export -- FOLDER`

#[path = "../tests/export/nets.rs"]
mod nets;

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use convnet::{AnyVolume, Network, OnHeap, Rng, onnx, tflite};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use nets::*;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or("give a folder to write to")?;
    let folder = PathBuf::from(folder);
    macro_rules! go {
        ($net:ident) => {
            write::<$net>(&folder.join(stringify!($net)))?;
        };
    }
    each!(go);
    go!(Nothing);
    write_tflite::<Rest>(&folder.join("Rest"))
}

fn write<N: Network<Scalar = f32> + OnHeap>(path: &std::path::Path) -> Result<(), Box<dyn Error>>
where
    N::Input: AnyVolume<Scalar = f32>,
    N::Output: AnyVolume<Scalar = f32>,
{
    onnx::write(&*random::<N>(), path.with_extension("onnx"))?;
    write_tflite::<N>(path)
}

/// `PATH.tflite`, and `PATH.safetensors` with two images, depth first, and what they become.
fn write_tflite<N: Network<Scalar = f32> + OnHeap>(
    path: &std::path::Path,
) -> Result<(), Box<dyn Error>>
where
    N::Input: AnyVolume<Scalar = f32>,
    N::Output: AnyVolume<Scalar = f32>,
{
    let net = random::<N>();
    let mut rng = Rng::new(8);
    tflite::write(&*net, path.with_extension("tflite"))?;
    let mut arena = N::arena();
    let mut image = bytemuck::zeroed_box::<N::Input>();
    let (mut images, mut scores) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        image
            .as_mut_slice()
            .iter_mut()
            .for_each(|it| *it = rng.normal() as f32);
        images.extend(depth_first(&*image));
        scores.extend(depth_first(net.forward(&image, &mut arena)));
    }
    let [image, score] = [N::Input::SHAPE, N::Output::SHAPE].map(|[h, w, d]| vec![2, d, h, w]);
    let tensors = HashMap::from([
        ("images", TensorView::new(Dtype::F32, image, &images)?),
        ("scores", TensorView::new(Dtype::F32, score, &scores)?),
    ]);
    std::fs::write(
        path.with_extension("safetensors"),
        safetensors::serialize(tensors, None)?,
    )?;
    Ok(())
}

fn depth_first<V: AnyVolume<Scalar = f32>>(volume: &V) -> Vec<u8> {
    let [_, _, depth] = V::SHAPE;
    let values = volume.as_slice();
    let slices = (0..depth).map(|slice| values.iter().skip(slice).step_by(depth));
    slices.flatten().flat_map(|it| it.to_le_bytes()).collect()
}
