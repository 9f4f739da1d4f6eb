//! IDX files, packed or not, as images and as labels.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use convnet::data::{self, Samples};
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| convnet_fuzz::folder().join("idx"));
static LABELS: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = convnet_fuzz::folder().join("labels");
    fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 2, 0, 1]).expect("labels");
    path
});

fuzz_target!(init: convnet_fuzz::seeds::write("idx"), |bytes: &[u8]| {
    fs::write(&*FILE, bytes).expect("a file");
    match data::idx(&*FILE, &*LABELS, 2) {
        Ok(images) => assert_eq!((images.len(), images.label(1)), (2, 1)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let _ = data::idx(&*LABELS, &*FILE, 2);
});
