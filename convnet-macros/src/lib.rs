//! The macros `convnet!` and `weights!`; use them through the crate `convnet`, which documents it.
//!
//! ```text
//! syntax ▶ plan ▶ emit
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "library")]
mod declared;
mod emit;
mod plan;
mod report;
mod syntax;
#[cfg(not(feature = "library"))]
mod weights;

#[cfg(all(test, not(feature = "library")))] // which asks for more crates
mod tests;

#[cfg(not(feature = "library"))]
extern crate proc_macro;

use proc_macro2::{TokenStream, TokenTree};

#[cfg(feature = "library")]
pub use declared::{Declared, Drawn, Mistake, declared, read};

/// `convnet::convnet!`, which hands on its own `$crate` in brackets first.
#[cfg(not(feature = "library"))]
#[proc_macro]
pub fn convnet(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(tokens.into()).into()
}

/// `convnet::weights!`, which hands on its own `$crate` in brackets first.
#[cfg(not(feature = "library"))]
#[proc_macro]
pub fn weights(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut tokens = TokenStream::from(tokens).into_iter();
    let Some(TokenTree::Group(krate)) = tokens.next() else {
        return proc_macro::TokenStream::new();
    };
    weights::expand(&krate.stream(), tokens.collect()).into()
}

/// What a declaration becomes, outside the compiler: `convnet-declaration` is this crate as a library.
#[cfg(feature = "library")]
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
