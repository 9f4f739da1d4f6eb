//! The macros `convnet!` and `weights!`; use them through the crate `convnet`, which documents it.
//!
//! ```text
//! syntax ▶ plan ▶ emit
//! ```
#![forbid(unsafe_code)]

mod emit;
mod plan;
mod report;
mod syntax;
mod weights;

#[cfg(test)]
mod tests;

extern crate proc_macro;

use proc_macro2::{TokenStream, TokenTree};

/// `convnet::convnet!`, which hands on its own `$crate` in brackets first.
#[cfg_attr(not(fuzzing), proc_macro)]
pub fn convnet(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(tokens.into()).into()
}

/// `convnet::weights!`, which hands on its own `$crate` in brackets first.
#[cfg_attr(not(fuzzing), proc_macro)]
pub fn weights(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut tokens = TokenStream::from(tokens).into_iter();
    let Some(TokenTree::Group(krate)) = tokens.next() else {
        return proc_macro::TokenStream::new();
    };
    weights::expand(&krate.stream(), tokens.collect()).into()
}

/// What a declaration becomes, outside the compiler: `fuzz` builds this crate as a library.
#[cfg(fuzzing)]
pub fn expansion(tokens: TokenStream) -> TokenStream {
    expand(tokens)
}

fn expand(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Group(krate)) = tokens.next() else {
        return TokenStream::new();
    };
    let mut errors = report::Errors::default();
    let declaration = syntax::parse(tokens.collect(), &mut errors);
    let Some(declaration) = declaration else {
        return errors.into_tokens();
    };
    let krate = krate.stream();
    let network = plan::plan(krate, &declaration, &mut errors);
    let mut output = network.as_ref().map(emit::emit).unwrap_or_default();
    // Last: an editor completes a word where it first finds it, and a message repeats it.
    output.extend(errors.into_tokens());
    output
}
