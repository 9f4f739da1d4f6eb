//! Packed data sets: opened, verified, and every image read.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use convnet::data::{Samples, Streamed};
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> = LazyLock::new(|| convnet_fuzz::folder().join("packed"));

fuzz_target!(init: convnet_fuzz::seeds::write("packed"), |bytes: &[u8]| {
    fs::write(&*FILE, bytes).expect("a file");
    let images = match Streamed::packed([&*FILE]) {
        Ok(images) => images,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let is_sound = images.verify().is_ok();
    let mut image = vec![0.0f32; images.shape().iter().product()];
    for index in 0..images.len() {
        images.image(index, &mut image);
        assert!(images.label(index) < images.classes());
    }
    assert_eq!(images.fault().is_none(), is_sound);
});
