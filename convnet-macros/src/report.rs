//! The bag of errors: stages put in, the driver empties it once.
//!
//! On stable a macro has one way to speak, the error; so each text carries its own help: what is
//! wrong in the user's numbers on the first line, what would work on the next.

use core::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Everything that is wrong with a declaration.
#[must_use = "errors that nobody reports are lost"]
#[derive(Default)]
pub(crate) struct Errors {
    all: Option<syn::Error>,
    count: usize,
}

impl Errors {
    /// `message` under `tokens`: the smallest thing the user should change.
    pub(crate) fn push(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.absorb(syn::Error::new_spanned(tokens, message));
    }

    /// An error that a parser returned.
    pub(crate) fn absorb(&mut self, error: syn::Error) {
        self.count += (&error).into_iter().count();
        match &mut self.all {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value, or `None` and its error in the bag.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.absorb(error)).ok()
    }

    /// How many there are: a stage that compares two counts knows whether something went wrong
    /// between them.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// `compile_error!`s, one an error.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.all
            .map(|errors| errors.to_compile_error())
            .unwrap_or_default()
    }

    /// Each by itself.
    #[cfg(feature = "library")]
    pub(crate) fn into_all(self) -> impl Iterator<Item = syn::Error> {
        self.all.into_iter().flatten()
    }

    /// The texts, for tests.
    #[cfg(test)]
    pub(crate) fn texts(self) -> Vec<String> {
        self.all
            .into_iter()
            .flatten()
            .map(|error| error.to_string())
            .collect()
    }
}
