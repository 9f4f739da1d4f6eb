//! Writes int8 twins as TensorFlow Lite, with images and their scores for each, in bytes: `tests/int8.py` holds these
//! against LiteRT.
//!
//! `cargo run --release -p convnet-import --example int8 -- FOLDER`

#[path = "../tests/export/twins.rs"]
mod twins;

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use convnet::int8::{Quantize, Quantized};
use convnet::{AnyVolume, Rng, tflite};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use twins::*;

/// Of each twin.
const IMAGES: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or("give a folder to write to")?;
    let folder = PathBuf::from(folder);
    macro_rules! go {
        ($net:ident, $fc_per_tensor:literal) => {
            let name = match $fc_per_tensor {
                true => concat!(stringify!($net), "-per-tensor"),
                false => stringify!($net),
            };
            write(&*twin::<$net>($fc_per_tensor)?, &folder.join(name))?;
        };
    }
    each_twin!(go);
    Ok(())
}

/// `PATH.tflite`, and `PATH.safetensors` with images and what they become.
fn write<N: Quantize, const F: usize, const C: usize, const V: usize>(
    twin: &Quantized<N, F, C, V>,
    path: &Path,
) -> Result<(), Box<dyn Error>> {
    tflite::write_int8(twin, path.with_extension("tflite"))?;
    let (mut rng, mut arena) = (Rng::new(8), Quantized::<N, F, C, V>::arena());
    let mut image = bytemuck::zeroed_box::<N::Image>();
    let (mut images, mut scores) = (Vec::new(), Vec::new());
    for _ in 0..IMAGES {
        let bytes = image.as_mut_slice().iter_mut();
        bytes.for_each(|it| *it = rng.below(256) as u8 as i8);
        images.extend(image.as_slice().iter().map(|it| *it as u8));
        let found = twin.forward(&image, &mut arena).as_slice();
        scores.extend(found.iter().map(|it| *it as u8));
    }
    let [image, score] = [N::Image::SHAPE, N::Scores::SHAPE].map(|[h, w, d]| vec![IMAGES, h, w, d]);
    let tensors = HashMap::from([
        ("images", TensorView::new(Dtype::I8, image, &images)?),
        ("scores", TensorView::new(Dtype::I8, score, &scores)?),
    ]);
    let file = safetensors::serialize(tensors, None)?;
    Ok(std::fs::write(path.with_extension("safetensors"), file)?)
}
