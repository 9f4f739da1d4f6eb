//! Both readers of safetensors, on any header behind its own length.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: convnet_fuzz::seeds::write("header"), |header: &[u8]| {
    // As many scalars as the network has.
    convnet_fuzz::check_weights(&convnet_fuzz::file(header, &[0; 60]));
});
