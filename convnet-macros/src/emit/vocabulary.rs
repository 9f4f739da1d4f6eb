//! For the editor: the words and argument names, where they stand, as names of `convnet::dsl`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

use super::code;
use crate::syntax::Mention;

/// What is wrong is mentioned to the editor only: the compiler has heard of it.
pub(super) fn emit(krate: &TokenStream, mentions: &[Mention]) -> TokenStream {
    let mentions = mentions.iter().filter(|mention| is_name(&mention.word));
    let mentions = mentions.map(|Mention { word, keys, right }| {
        let keys = keys.iter().filter(|key| is_name(key));
        let mention = code! {
            const _: fn(#krate::dsl::#word) = |a| { let _ = &a; #(let _ = a.#keys;)* };
        };
        match right {
            true => mention,
            false => code! {
                #[allow(unexpected_cfgs)]
                const _: () = { #[cfg(rust_analyzer)] #mention };
            },
        }
    });
    mentions.collect()
}

/// Whether it can be the name of a field or a type: a keyword cannot, whatever was meant by it.
fn is_name(word: &Ident) -> bool {
    syn::parse2::<Ident>(word.to_token_stream()).is_ok()
}
