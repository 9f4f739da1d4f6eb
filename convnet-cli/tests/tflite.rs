//! TensorFlow Lite models in and out on the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `convnet` says of a model; it succeeds.
fn convnet(command: &str, model: &Path, arguments: &[&Path]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_convnet"))
        .arg(command)
        .arg(model)
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{error}");
    String::from_utf8(done.stdout).unwrap()
}

fn model(name: &str) -> PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../convnet-import/tests/models");
    models.join(name)
}

#[test]
fn a_model_in_bytes_is_written_in_bytes_too() {
    let folder = std::env::temp_dir().join(format!("convnet-int8-{}", std::process::id()));
    let said = convnet(
        "import",
        &model("speech.tflite"),
        &[Path::new("--out"), &folder],
    );
    let file = folder.join("speech.int8.safetensors");
    let line = format!("in bytes, for `int8_weights!`: {}\n", file.display());
    assert!(said.ends_with(&line), "{said}");
    let options = convnet_import::Options::default();
    let imported = convnet_import::Imported::read(model("speech.tflite"), &options).unwrap();
    assert_eq!(Some(fs::read(file).unwrap()), imported.int8().unwrap());
    // In floats there are no bytes.
    let said = convnet(
        "import",
        &model("mnist.onnx"),
        &[Path::new("--out"), &folder],
    );
    assert!(!said.contains("in bytes"), "{said}");
    assert!(!folder.join("mnist.int8.safetensors").exists());
    fs::remove_dir_all(&folder).unwrap();
}

/// What is exported is imported as what it was.
#[test]
fn a_model_goes_out_as_tensorflow_lite() {
    let folder = std::env::temp_dir().join(format!("convnet-tflite-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("mnist.tflite");
    convnet(
        "export",
        &model("mnist.onnx"),
        &[Path::new("--tflite"), &file],
    );
    let out = [Path::new("--out"), &folder];
    convnet("import", &file, &out);
    let written = fs::read_to_string(folder.join("mnist.rs")).unwrap();
    convnet("import", &model("mnist.onnx"), &out);
    assert_eq!(
        written,
        fs::read_to_string(folder.join("mnist.rs")).unwrap()
    );
    let weights = folder.join("mnist.safetensors");
    convnet("check", &file, &[Path::new("--against"), &weights]);
    fs::remove_dir_all(&folder).unwrap();
}
