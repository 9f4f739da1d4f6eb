//! No declaration makes `convnet!` panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

fuzz_target!(init: convnet_fuzz::seeds::write("declaration"), |text: &str| {
    // What is no sequence of tokens, the compiler refuses before the macro sees it.
    if let Ok(tokens) = format!("[::convnet::generated] {text}").parse::<TokenStream>() {
        let _ = convnet_macros_as_library::expansion(tokens);
    }
});
