//! What this machine says of the images of the demo, as JSON: what a browser is compared with.
//!
//! `cargo run --release --example scores`, in `web/wasm`: for each image its classes, the most probable first, with
//! their scores, and probabilities as a `Classifier` reads them from the file itself.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use convnet::Classifier;
use convnet_web::demo::{Demo, TinyVgg};

fn main() -> Result<(), Box<dyn Error>> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let weights = fs::read(web.join("public/tiny_vgg.safetensors"))?;
    let classifier = Classifier::<TinyVgg>::from_bytes(&weights)?;
    let normalisation = classifier.normalisation().clone();
    let mut demo = Demo::new(&weights, normalisation.mean, normalisation.deviation)?;
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(web.join("images"))? {
        let path = entry?.path();
        let classes = demo.look(&image::open(&path)?.to_rgb8())?;
        let probabilities = classifier.classify_file(&path)?;
        let both = classes.iter().zip(probabilities);
        let lines: Vec<_> = both
            .map(|(class, (name, probability))| {
                assert_eq!(
                    classifier.class_names()[class.number],
                    name,
                    "{}",
                    path.display()
                );
                (name, class.score, probability)
            })
            .collect();
        let name = path.file_stem().unwrap_or_default().display().to_string();
        found.insert(name, serde_json::to_value(lines)?);
    }
    println!("{}", serde_json::to_string_pretty(&found)?);
    Ok(())
}
