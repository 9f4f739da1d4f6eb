//! A training that is to go on from any file.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use convnet_fuzz::{Net, folder, images, trainer};
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| folder().join("checkpoint"));

fuzz_target!(init: convnet_fuzz::seeds::write("checkpoint"), |bytes: &[u8]| {
    fs::write(&*FILE, bytes).expect("a file");
    let mut net = Net::<f32>::random(1);
    if let Err(error) = trainer(FILE.clone()).fit(&mut *net, &images()) {
        assert!(!error.to_string().is_empty());
    }
});
