//! Writes random weights for the networks of `nets::cifar`, and the digits in bytes: `generate FOLDER`.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use convnet::int8::Quantize;
use convnet::weights;
use nets::cifar::{IMAGE, Net0, Net1, Net2};
use nets::digits;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("usage: generate FOLDER")?);
    fs::create_dir_all(&folder)?;
    let (net0, net1, net2) = (Net0::random(0), Net1::random(1), Net2::random(2));
    weights::save(&*net0, folder.join("net0.safetensors"))?;
    weights::save(&*net1, folder.join("net1.safetensors"))?;
    weights::save(&*net2, folder.join("net2.safetensors"))?;
    let int8 = |name: &str| folder.join(name).with_extension("safetensors");
    fs::write(int8("net0-int8"), net0.quantize(&[&IMAGE])?.to_bytes())?;
    fs::write(int8("net1-int8"), net1.quantize(&[&IMAGE])?.to_bytes())?;
    fs::write(int8("net2-int8"), net2.quantize(&[&IMAGE])?.to_bytes())?;
    let digits = digits::NET.quantize(&digits::IMAGES)?;
    fs::write(folder.join("digits-int8.safetensors"), digits.to_bytes())?;
    Ok(())
}
