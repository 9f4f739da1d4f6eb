//! Writes random weights for the networks of `nets::cifar`, and the digits in bytes: `generate FOLDER`.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use convnet::int8::Quantize;
use convnet::weights;
use nets::cifar::{Net0, Net1, Net2};
use nets::digits;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("usage: generate FOLDER")?);
    fs::create_dir_all(&folder)?;
    weights::save(&*Net0::<f32>::random(0), folder.join("net0.safetensors"))?;
    weights::save(&*Net1::<f32>::random(1), folder.join("net1.safetensors"))?;
    weights::save(&*Net2::<f32>::random(2), folder.join("net2.safetensors"))?;
    let digits = digits::NET.quantize(&digits::IMAGES)?;
    fs::write(folder.join("digits-int8.safetensors"), digits.to_bytes())?;
    Ok(())
}
