//! `convnet import --custom`: the declaration that `convnet-import/tests/custom.rs` compiles and runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn import(out: &Path, custom: &[&str]) -> Output {
    let model =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../convnet-import/tests/models/custom.onnx");
    let custom = custom.iter().flat_map(|it| ["--custom", it]);
    Command::new(env!("CARGO_BIN_EXE_convnet"))
        .arg("import")
        .arg(model)
        .arg("--out")
        .arg(out)
        .args(custom)
        .output()
        .unwrap()
}

#[test]
fn layers_by_hand_stand_for_operators_and_for_nodes() {
    let folder = std::env::temp_dir().join(format!("convnet-custom-{}", std::process::id()));
    let all = [
        "Mish=layers::MISH",
        "/abs/Abs=layers::ABS",
        "Pow=layers::Power<T, 8>",
    ];
    let done = import(&folder, &all);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let written = fs::read_to_string(folder.join("custom.rs")).unwrap();
    let compiled = include_str!("../../convnet-import/tests/models/custom.rs");
    assert_eq!(written, compiled);
    fs::remove_dir_all(&folder).unwrap();

    // One of them is missing: nothing is written.
    let some = import(&folder, &all[..2]);
    assert!(!some.status.success() && !folder.exists());
    let error = String::from_utf8(some.stderr).unwrap();
    assert!(
        error.contains("Pow `/bend/Pow`: ") && !error.contains("Mish"),
        "{error}"
    );
    let wrong = import(&folder, &["Mish"]);
    let error = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        error.contains("a path is expected behind an `=`"),
        "{error}"
    );
}
