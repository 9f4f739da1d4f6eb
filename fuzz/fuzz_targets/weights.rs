//! Both readers of safetensors, on any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: convnet_fuzz::seeds::write("weights"), |bytes: &[u8]| convnet_fuzz::check_weights(bytes));
