//! A file of CIFAR-10 among sound ones.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use convnet::data::{self, Samples};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = convnet_fuzz::folder();
    for name in (2..=5)
        .map(|n| format!("data_batch_{n}.bin"))
        .chain(["test_batch.bin".into()])
    {
        fs::write(folder.join(name), [1; 3073]).expect("a file");
    }
    folder
});

fuzz_target!(init: convnet_fuzz::seeds::write("cifar10"), |bytes: &[u8]| {
    fs::write(FOLDER.join("data_batch_1.bin"), bytes).expect("a file");
    match data::cifar10(&*FOLDER) {
        Ok((train, test)) => assert_eq!((train.len(), test.len()), (bytes.len() / 3073 + 4, 1)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
