//! Writes random weights for all networks but the digits, and all in bytes: `generate FOLDER`.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use convnet::int8::Quantize;
use convnet::weights;
use nets::cifar::{IMAGE, Net0, Net1, Net2};
use nets::digits;
use nets::keywords::{self, DsCnn};
use nets::mobile::{self, MobileNet};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).ok_or("usage: generate FOLDER")?);
    fs::create_dir_all(&folder)?;
    let (net0, net1, net2) = (Net0::random(0), Net1::random(1), Net2::random(2));
    weights::save(&*net0, folder.join("net0.safetensors"))?;
    weights::save(&*net1, folder.join("net1.safetensors"))?;
    weights::save(&*net2, folder.join("net2.safetensors"))?;
    let (ds_cnn, mobilenet) = (DsCnn::random(3), MobileNet::random(4));
    weights::save(&*ds_cnn, folder.join("ds_cnn.safetensors"))?;
    weights::save(&*mobilenet, folder.join("mobilenet.safetensors"))?;
    let int8 = |name: &str| folder.join(name).with_extension("safetensors");
    fs::write(int8("net0-int8"), net0.quantize(&[&IMAGE])?.to_bytes())?;
    fs::write(int8("net1-int8"), net1.quantize(&[&IMAGE])?.to_bytes())?;
    fs::write(int8("net2-int8"), net2.quantize(&[&IMAGE])?.to_bytes())?;
    let ds_cnn = ds_cnn.quantize(&[&keywords::IMAGE])?;
    fs::write(int8("ds_cnn-int8"), ds_cnn.to_bytes())?;
    let mobilenet = mobilenet.quantize(&[&mobile::IMAGE])?;
    fs::write(int8("mobilenet-int8"), mobilenet.to_bytes())?;
    let digits = digits::NET.quantize(&digits::IMAGES)?;
    fs::write(folder.join("digits-int8.safetensors"), digits.to_bytes())?;
    Ok(())
}
