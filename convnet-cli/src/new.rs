//! A crate around an imported model: the declaration, its weights, and a program that classifies an image file.

use std::fs;
use std::path::Path;

use convnet_import::Imported;

/// How pixels become numbers: (pixel/255 − mean)/std, one of each for every depth slice.
pub(crate) struct Pixels {
    pub(crate) mean: Vec<f64>,
    pub(crate) std: Vec<f64>,
}

/// Writes the crate into `folder`, which may not hold one. It uses the copy of `convnet` in a folder, or the one
/// that was published.
pub(crate) fn write(
    folder: &Path,
    name: &str,
    file: &str,
    imported: &Imported,
    pixels: &Pixels,
    labels: Option<&str>,
    convnet: Option<&Path>,
) -> Result<(), String> {
    let [_, _, depth] = imported.input();
    for (what, numbers) in [("--mean", &pixels.mean), ("--std", &pixels.std)] {
        if numbers.len() != depth {
            return Err(format!(
                "{what} has {} numbers, and an image of this model {depth} depth slices",
                numbers.len()
            ));
        }
    }
    if let names @ [_, ..] = imported.outputs() {
        return Err(format!(
            "the model has several outputs, {}: a program that classifies wants one, by --output NAME; without \
             --new, the declaration has all of them",
            names.join(", ")
        ));
    }
    let classes = imported.scores();
    let labels = match labels {
        None => (0..classes).map(|class| format!("{class}\n")).collect(),
        Some(labels) => match labels.lines().count() {
            lines if lines == classes => labels.to_owned(),
            lines => {
                return Err(format!(
                    "{lines} labels, and the model has {classes} scores"
                ));
            }
        },
    };
    let manifest = folder.join("Cargo.toml");
    if manifest.exists() {
        return Err(format!("{} is there already", manifest.display()));
    }
    let src = folder.join("src");
    fs::create_dir_all(&src).map_err(|error| format!("{}: {error}", src.display()))?;
    let weights = imported.weights().map_err(|error| error.to_string())?;
    let code = format!("{}\n{}", HEAD.trim_end(), imported.declaration(name));
    crate::write(&src.join(format!("{file}.safetensors")), &weights)?;
    crate::write(&src.join(format!("{file}.rs")), code.as_bytes())?;
    crate::write(&src.join("labels.txt"), labels.as_bytes())?;
    // A pixel is 0 to 255.
    let scaled = |numbers: &[f64]| {
        let numbers = numbers.iter().map(|it| format!("{:?}", 255.0 * it));
        numbers.collect::<Vec<_>>().join(", ")
    };
    let main = MAIN
        .replace("{Name}", name)
        .replace("{file}", file)
        .replace("{mean}", &scaled(&pixels.mean))
        .replace("{deviation}", &scaled(&pixels.std));
    crate::write(&src.join("main.rs"), main.as_bytes())?;
    let convnet = match convnet {
        None => format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
        Some(path) => {
            let path = path
                .canonicalize()
                .map_err(|error| format!("{}: {error}", path.display()))?;
            format!("path = {:?}", path.display().to_string())
        }
    };
    let package = file.replace('_', "-");
    let cargo = CARGO
        .replace("{package}", &package)
        .replace("{convnet}", &convnet);
    crate::write(&manifest, cargo.as_bytes())
}

const HEAD: &str = "//! The network, as it was imported.\n\n";

const CARGO: &str = r#"[package]
name = "{package}"
version = "0.1.0"
edition = "2024"

[dependencies]
convnet = { {convnet}, features = ["image"] }

[profile.dev]
opt-level = 3 # without, a network takes a hundred times as long
"#;

const MAIN: &str = r#"//! Prints the five most probable classes of an image file.
//!
//!     cargo run --release -- cat.jpg

mod {file};

use std::error::Error;
use std::process::ExitCode;

use convnet::classify::{Classifier, Normalisation, Sizing};
use convnet::weights;

use {file}::{Name};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: cargo run --release -- IMAGE");
        return ExitCode::FAILURE;
    };
    match classify(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn classify(path: &str) -> Result<(), Box<dyn Error>> {
    for (name, probability) in classifier()?.classify_file(path)?.iter().take(5) {
        println!("{:5.1} %  {name}", 100.0 * probability);
    }
    Ok(())
}

/// The network with its weights, and how it reads an image.
fn classifier() -> Result<Classifier<{Name}>, Box<dyn Error>> {
    let mut net = {Name}::boxed();
    weights::from_bytes(&mut *net, include_bytes!("{file}.safetensors"))?;
    // Of a pixel from 0 to 255, slice by slice: (pixel - mean) / deviation.
    let pixels = Normalisation {
        mean: vec![{mean}],
        deviation: vec![{deviation}],
    };
    let labels = include_str!("labels.txt").lines();
    Ok(Classifier::with(net, &pixels, Sizing::Crop, labels)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gray_image_has_probabilities() {
        let [height, width, depth] = {Name}::INPUT;
        let classifier = classifier().expect("weights, labels and a normalisation that fit");
        let gray = vec![128; height * width * depth];
        let answer = classifier.classify(&gray).expect("scores");
        let sum: f64 = answer.iter().map(|(_, probability)| probability).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{answer:?}");
    }
}
"#;

#[cfg(test)]
mod tests {
    use convnet_import::Options;

    use super::*;

    const MODEL: &[u8] = include_bytes!("../../convnet-import/tests/models/mnist.onnx");

    fn new(folder: &Path, mean: &[f64], labels: Option<&str>) -> Result<(), String> {
        let model = Imported::from_bytes(MODEL, &Options::default()).expect("a ConvNet");
        let pixels = Pixels {
            mean: mean.to_vec(),
            std: vec![0.5],
        };
        write(folder, "Mnist", "mnist", &model, &pixels, labels, None)
    }

    #[test]
    fn a_crate_is_written_once() {
        let folder = std::env::temp_dir().join(format!("convnet-new-{}", std::process::id()));
        new(&folder, &[0.25], None).expect("a new folder");
        let read = |file: &str| fs::read_to_string(folder.join(file)).expect(file);
        assert!(read("Cargo.toml").contains(r#"name = "mnist""#));
        let main = read("src/main.rs");
        assert!(main.contains("mean: vec![63.75],") && main.contains("deviation: vec![127.5],"));
        assert!(
            !main.contains("{file}") && !main.contains("{Name}"),
            "{main}"
        );
        assert_eq!(read("src/labels.txt").lines().count(), 10);
        assert!(read("src/mnist.rs").contains("pub struct Mnist"));
        let again = new(&folder, &[0.25], None).expect_err("a crate is there");
        assert!(again.ends_with("Cargo.toml is there already"), "{again}");
        fs::remove_dir_all(&folder).expect("a folder to remove");
    }

    #[test]
    fn means_and_labels_are_counted() {
        let folder = std::env::temp_dir().join("convnet-never-written");
        let means = new(&folder, &[0.5; 3], None).expect_err("three means");
        assert_eq!(
            means,
            "--mean has 3 numbers, and an image of this model 1 depth slices"
        );
        let labels = new(&folder, &[0.5], Some("zero\none")).expect_err("two labels");
        assert_eq!(labels, "2 labels, and the model has 10 scores");
        assert!(!folder.exists());
    }
}
