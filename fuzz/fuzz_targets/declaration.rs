//! No declaration makes `convnet!` panic, and what it expands to is Rust.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: convnet_fuzz::seeds::write("declaration"), |text: &str| convnet_fuzz::check_declaration(text));
