//! `convnet`: models of other libraries as `convnet!` declarations, and folders of images as sets.

mod new;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use convnet_core::data::{Folder, Samples, Sizing, Streamed};
use convnet_import::{Imported, Options};
use safetensors::SafeTensors;

use new::Pixels;

/// Models of other libraries as `convnet!` declarations with their weights.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the declaration, NAME.rs, and the weights, NAME.safetensors; of an int8 model its bytes, too,
    /// NAME.int8.safetensors.
    Import {
        #[command(flatten)]
        model: Model,
        /// What the network is called, `Mnist`: by default, by the model's file.
        #[arg(long)]
        name: Option<String>,
        /// The folder to write to.
        #[arg(long, default_value = ".")]
        out: PathBuf,
        /// A whole crate instead, in a new folder: a program that classifies an image file.
        #[arg(long, value_name = "FOLDER", conflicts_with = "out")]
        new: Option<PathBuf>,
        #[command(flatten)]
        images: Images,
    },
    /// Prints the table: volumes, parameters, multiply-adds, memory.
    Show {
        #[command(flatten)]
        model: Model,
    },
    /// Writes the model as ONNX, as TensorFlow Lite, or both: by the names of the declaration, without what computes
    /// nothing. A program writes its own network by `convnet::onnx::write` and `convnet::tflite::write`.
    Export {
        #[command(flatten)]
        model: Model,
        /// The file to write as ONNX.
        #[arg(long, value_name = "FILE", required_unless_present = "tflite")]
        onnx: Option<PathBuf>,
        /// The file to write as TensorFlow Lite, in f32.
        #[arg(long, value_name = "FILE")]
        tflite: Option<PathBuf>,
    },
    /// Says whether a weight file holds the model's numbers.
    Check {
        #[command(flatten)]
        model: Model,
        /// The file, as `import` writes it.
        #[arg(long)]
        against: PathBuf,
    },
    /// Packs a folder of images, a sub-folder a class, into one file for `data::Streamed`.
    Pack {
        /// The folder.
        folder: PathBuf,
        /// Height, width and depth of the packed images: `224x224x3`. Depth 1 is gray, 3 colour.
        #[arg(long, value_name = "HxWxD", value_parser = size)]
        size: [usize; 3],
        /// The file to write: by default, FOLDER.packed.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Cuts out the middle of an image of another shape, instead of stretching it.
        #[arg(long)]
        crop: bool,
        /// Leaves out files that cannot be read, and lists them.
        #[arg(long)]
        skip_broken: bool,
    },
}

/// Of the crate that `--new` writes.
#[derive(Args)]
#[command(next_help_heading = "With --new")]
struct Images {
    /// The mean of pixel/255 in the images of the training, slice by slice: `0.485,0.456,0.406`. 0 by default.
    #[arg(long, value_delimiter = ',', requires = "new")]
    mean: Vec<f64>,
    /// Their standard deviation: `0.229,0.224,0.225`. 1 by default.
    #[arg(long, value_delimiter = ',', requires = "new")]
    std: Vec<f64>,
    /// A file with the names of the classes, one a line, in the order of the scores.
    #[arg(long, value_name = "FILE", requires = "new")]
    labels: Option<PathBuf>,
    /// A copy of `convnet` to use, instead of the one that was published.
    #[arg(long, value_name = "FOLDER", requires = "new")]
    convnet: Option<PathBuf>,
}

#[derive(Args)]
struct Model {
    /// A file of ONNX, TensorFlow Lite or Keras.
    model: PathBuf,
    /// Depth, height and width of the image, where the file leaves them open: `3x224x224`.
    #[arg(long, value_name = "DxHxW", value_parser = size)]
    input: Option<[usize; 3]>,
    /// The output to compute, where there are several.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// A layer written by hand for a node or an operator that no layer computes: `Mish=layers::MISH`, or with
    /// weights `Mish=layers::Mish<T>`; as often as there are some.
    #[arg(long, value_name = "OP=PATH", value_parser = custom)]
    custom: Vec<(String, String)>,
}

impl Model {
    fn read(self) -> Result<Imported, Box<dyn Error>> {
        let options = Options {
            input: self.input,
            output: self.output,
            custom: self.custom,
        };
        Ok(Imported::read(self.model, &options)?)
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Import {
            model,
            name,
            out,
            new,
            images,
        } => {
            let name = name.unwrap_or_else(|| type_name(&model.model));
            let source = model.model.display().to_string();
            let imported = model.read()?;
            let file = snake_case(&name);
            if let Some(folder) = new {
                make(&folder, &name, &file, &imported, images)?;
                println!("{}", imported.draft(&name).plan()?);
                let folder = folder.display();
                println!(
                    "{source}: {folder}; now `cd {folder}` and `cargo run --release -- IMAGE`"
                );
                return Ok(ExitCode::SUCCESS);
            }
            let (code, weights) = (
                out.join(format!("{file}.rs")),
                out.join(format!("{file}.safetensors")),
            );
            fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
            write(&weights, &imported.weights()?)?;
            write(&code, imported.declaration(&name).as_bytes())?;
            println!("{}", imported.draft(&name).plan()?);
            println!("{source}: {} and {}", code.display(), weights.display());
            // A model in bytes is one in floats anyway.
            match imported.int8() {
                Ok(None) => {}
                Ok(Some(bytes)) => {
                    let file = out.join(format!("{file}.int8.safetensors"));
                    write(&file, &bytes)?;
                    println!("in bytes, for `int8_weights!`: {}", file.display());
                }
                Err(error) => eprintln!("in f32 only: {error}"),
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { model } => {
            let name = type_name(&model.model);
            println!("{}", model.read()?.draft(&name).plan()?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Export {
            model,
            onnx,
            tflite,
        } => {
            let imported = model.read()?;
            if let Some(file) = onnx {
                write(&file, &imported.onnx()?)?;
            }
            if let Some(file) = tflite {
                write(&file, &imported.tflite()?)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { model, against } => check(&model.read()?.weights()?, &against),
        Command::Pack {
            folder,
            size,
            out,
            crop,
            skip_broken,
        } => {
            let out = out.unwrap_or_else(|| folder.with_extension("packed"));
            let sizing = if crop { Sizing::Crop } else { Sizing::Stretch };
            let reader = Folder::new(&folder, size).sizing(sizing);
            let (images, broken) = match skip_broken {
                true => reader.pack_sound(&out)?,
                false => (reader.pack(&out)?, Vec::new()),
            };
            for error in &broken {
                eprintln!("left out: {error}");
            }
            let packed = Streamed::packed([&out])?;
            let (classes, out) = (packed.class_names().join(", "), out.display());
            println!("{out}: {images} images of {classes}");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes a crate.
fn make(
    folder: &Path,
    name: &str,
    file: &str,
    imported: &Imported,
    images: Images,
) -> Result<(), Box<dyn Error>> {
    let [_, _, depth] = imported.input();
    let or = |numbers: Vec<f64>, default: f64| match numbers.is_empty() {
        true => vec![default; depth],
        false => numbers,
    };
    let pixels = Pixels {
        mean: or(images.mean, 0.0),
        std: or(images.std, 1.0),
    };
    let labels = images.labels.map(|path| {
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    });
    let labels = labels.transpose()?;
    Ok(new::write(
        folder,
        name,
        file,
        imported,
        &pixels,
        labels.as_deref(),
        images.convnet.as_deref(),
    )?)
}

/// Compares the model's tensors with those of a file.
fn check(model: &[u8], against: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let bytes = fs::read(against).map_err(|error| format!("{}: {error}", against.display()))?;
    let fault = |error| format!("{}: {error}", against.display());
    let found = SafeTensors::deserialize(&bytes).map_err(fault)?;
    let expected = SafeTensors::deserialize(model)?;
    let (mut faults, mut largest) = (Vec::new(), 0.0_f32);
    for (name, tensor) in expected.iter() {
        let Ok(other) = found.tensor(name) else {
            faults.push(format!("{name} is missing"));
            continue;
        };
        if (tensor.dtype(), tensor.shape()) != (other.dtype(), other.shape()) {
            faults.push(format!(
                "{name} is {:?} {:?}, and {:?} {:?} in the model",
                other.dtype(),
                other.shape(),
                tensor.dtype(),
                tensor.shape()
            ));
            continue;
        }
        let differences = floats(tensor.data()).zip(floats(other.data()));
        let differs = differences
            // Two that are no numbers are the same.
            .map(|(a, b)| {
                if a.to_bits() == b.to_bits() {
                    0.0
                } else {
                    (a - b).abs()
                }
            })
            .fold(0.0, |most: f32, it| {
                if it.is_nan() {
                    f32::INFINITY
                } else {
                    most.max(it)
                }
            });
        if differs > 0.0 {
            faults.push(format!("{name} differs by {differs:e} at most"));
        }
        largest = largest.max(differs);
    }
    for name in found.names() {
        if expected.tensor(name).is_err() {
            faults.push(format!("{name} is not in the model"));
        }
    }
    if faults.is_empty() {
        println!("{} tensors, all the same", expected.len());
        return Ok(ExitCode::SUCCESS);
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    println!("the largest difference is {largest:e}");
    Ok(ExitCode::FAILURE)
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|it| f32::from_le_bytes(*it))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// `3x224x224`.
fn size(text: &str) -> Result<[usize; 3], String> {
    let numbers: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
    let numbers = numbers.ok().and_then(|it| <[usize; 3]>::try_from(it).ok());
    numbers.ok_or_else(|| "three numbers are expected, such as 3x224x224".into())
}

/// `Mish=layers::MISH`.
fn custom(text: &str) -> Result<(String, String), String> {
    let (of, layer) = text
        .split_once('=')
        .ok_or("a path is expected behind an `=`")?;
    Ok((of.to_owned(), layer.trim().to_owned()))
}

/// What a network is called by the file that it comes from: `MobileNetV2` of `mobile-net_v2.onnx`.
fn type_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let parts = stem.split(|it: char| !it.is_ascii_alphanumeric());
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let name: String = parts.map(capital).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() && name != "T" => name,
        _ => format!("Net{name}"),
    }
}

/// The file of a type: `mobile_net_v2` of `MobileNetV2`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    let mut before = '_';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
        before = letter;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_types_have_names() {
        for (file, name, snake) in [
            ("opt-mnist.onnx", "OptMnist", "opt_mnist"),
            ("resnet18.onnx", "Resnet18", "resnet18"),
            ("3d.onnx", "Net3d", "net3d"),
            ("t.onnx", "NetT", "net_t"),
        ] {
            assert_eq!(type_name(Path::new(file)), name);
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn a_size_has_three_numbers() {
        assert_eq!(size("3x224x160"), Ok([3, 224, 160]));
        assert!(size("224x224").is_err() && size("3xax3").is_err());
    }
}
