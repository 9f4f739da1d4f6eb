//! The `convnet!` macro; use it through the crate `convnet`.
//!
//! ```text
//! syntax ▶ plan ▶ emit
//! ```
#![deny(missing_docs)]

use proc_macro2::TokenStream;

mod emit;
mod plan;
mod report;
mod syntax;

/// `convnet::convnet!`, which hands on its own `$crate` in brackets first.
#[proc_macro]
pub fn convnet(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(tokens.into()).into()
}

fn expand(tokens: TokenStream) -> TokenStream {
    let mut report = report::Report::default();
    let declaration = syntax::parse(tokens, &mut report);
    let network = declaration.as_ref().and_then(|it| plan::plan(it, &mut report));
    match network {
        Some(network) if report.is_empty() => emit::emit(&network),
        _ => report.into_tokens(),
    }
}
