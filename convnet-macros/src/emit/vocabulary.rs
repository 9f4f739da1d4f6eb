//! For the editor: the words and argument names, where they stand, as names of `convnet::dsl`.

use proc_macro2::TokenStream;

use super::code;
use crate::syntax::Mention;

/// What is wrong is mentioned to the editor only: the compiler has heard of it.
pub(super) fn emit(krate: &TokenStream, mentions: &[Mention]) -> TokenStream {
    let mentions = mentions.iter().map(|Mention { word, keys, right }| {
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
