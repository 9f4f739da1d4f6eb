//! The file: what says how the model is built, and where its weights lie.

use std::io::{Cursor, Read};

use serde_json::Value;
use zip::ZipArchive;

use super::weights::Weights;
use crate::ImportError;

/// How a file of HDF5 begins.
pub(super) const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// How an archive begins.
pub(super) const ZIP: &[u8] = b"PK\x03\x04";

/// By how much what is in an archive may be longer than the archive.
const MOST_GROWTH: u64 = 16;

pub(super) struct Saved {
    /// `{"class_name": "Functional", "config": …}`.
    pub(super) model: Value,
    /// Keras 2 or 3.
    pub(super) version: u32,
    pub(super) weights: Weights,
}

pub(super) fn open(file: &[u8]) -> Result<Saved, ImportError> {
    match file.starts_with(HDF5) {
        true => of_hdf5(file),
        false => of_archive(file),
    }
    .map_err(ImportError::Format)
}

/// `model.save("model.h5")`.
fn of_hdf5(file: &[u8]) -> Result<Saved, String> {
    let weights = Weights::of(file.to_vec())?;
    let text = weights.attribute("model_config");
    let text = text.ok_or(
        "of HDF5 it has the mark, and no `model_config`: `model.save(…)` writes one, `save_weights` does not",
    )?;
    Ok(Saved {
        model: json(text.as_bytes())?,
        version: major(weights.attribute("keras_version").as_deref()),
        weights,
    })
}

/// `model.save("model.keras")`.
fn of_archive(file: &[u8]) -> Result<Saved, String> {
    let broken = |error: &dyn std::fmt::Display| format!("an archive it is, but {error}");
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(|it| broken(&it))?;
    let pickled = |name: &str| name.ends_with("/data.pkl");
    if archive.file_names().flatten().any(|name| pickled(&name)) {
        return Err(
            "PyTorch pickled it: `torch.onnx.export(model, image, \"model.onnx\")` writes what is read here".into(),
        );
    }
    let most = MOST_GROWTH * file.len() as u64;
    let mut content = |name: &str| -> Result<Vec<u8>, String> {
        let part = archive
            .by_name(name)
            .map_err(|it| format!("an archive it is, but `{name}`: {it}"))?;
        let (mut bytes, size) = (Vec::new(), part.size());
        match part.take(most + 1).read_to_end(&mut bytes) {
            Ok(read) if read as u64 <= most => Ok(bytes),
            Ok(_) => Err(format!(
                "`{name}` in it is {size} bytes long, out of {}",
                file.len()
            )),
            Err(error) => Err(format!("`{name}` in it is damaged: {error}")),
        }
    };
    let model = json(&content("config.json")?)?;
    let version = match content("metadata.json") {
        Ok(text) => major(json(&text)?["keras_version"].as_str()),
        Err(_) => 3,
    };
    let weights = Weights::of(content("model.weights.h5")?)?;
    Ok(Saved {
        model,
        version,
        weights,
    })
}

fn json(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|error| format!("its description is damaged: {error}"))
}

/// The first number of a version; of files that say none, 2.
fn major(version: Option<&str>) -> u32 {
    let first = version.and_then(|it| it.split('.').next());
    first.and_then(|it| it.parse().ok()).unwrap_or(2)
}
