//! ONNX models: what is read has a declaration that the macro takes, a table and weights.
#![no_main]

use convnet_import::{Imported, Options};
use libfuzzer_sys::fuzz_target;
use proc_macro2::TokenStream;

fuzz_target!(init: convnet_fuzz::seeds::write("onnx"), |bytes: &[u8]| {
    match Imported::from_bytes(bytes, &Options::default()) {
        Ok(model) => {
            let text = model.declaration("Net");
            let lines = text.strip_prefix("convnet::convnet! {");
            let lines = lines.and_then(|lines| lines.trim_end().strip_suffix('}'));
            let lines = lines.expect("a declaration");
            let tokens = format!("[::convnet::generated] {lines}").parse::<TokenStream>();
            let expansion = convnet_declaration::expansion(tokens.expect("tokens"));
            assert!(!expansion.to_string().contains("compile_error"), "{text}");
            assert!(model.weights().is_ok());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
