//! Where a way begins that does not begin at its block's input: `from = stem.conv1`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative;
use syn::{Result, Token};

use crate::report::Errors;

/// `from = stem.conv1`.
pub(crate) struct Start {
    /// The name of the line, as it is written; nothing where that is reported.
    pub(crate) path: String,
    /// What to underline.
    pub(crate) tokens: TokenStream,
}

/// `from = stem.conv1,` if that is what comes.
pub(super) fn read(input: ParseStream, errors: &mut Errors) -> Result<Option<Start>> {
    if !comes(input) {
        return Ok(None);
    }
    let word: Ident = input.parse()?;
    input.parse::<Token![=]>()?;
    let mut start = Start {
        path: String::new(),
        tokens: TokenStream::new(),
    };
    let ahead = input.fork();
    if name(&ahead, &mut start).is_ok() && (ahead.is_empty() || ahead.peek(Token![,])) {
        input.advance_to(&ahead);
    } else {
        let message = "expected the name of an earlier line, and a comma: `from = conv1,`";
        errors.push(word, message);
        start.path.clear();
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<proc_macro2::TokenTree>()?;
        }
    }
    input.parse::<Option<Token![,]>>()?;
    Ok(Some(start))
}

fn name(input: ParseStream, start: &mut Start) -> Result<()> {
    loop {
        let part = input.call(Ident::parse_any)?;
        start.path += &part.unraw().to_string();
        part.to_tokens(&mut start.tokens);
        if !input.peek(Token![.]) {
            return Ok(());
        }
        input.parse::<Token![.]>()?.to_tokens(&mut start.tokens);
        start.path.push('.');
    }
}

/// It stands where no way begins.
pub(super) fn misplaced(input: ParseStream) -> Result<()> {
    match comes(input) {
        true => Err(input.error(
            "`from` stands first in a branch of `concat` or of `outputs`, or in a `shortcut`\n\
             `concat { [], [from = conv1, max_pool(2x2)] }`, `shortcut { from = conv1 }`",
        )),
        false => Ok(()),
    }
}

fn comes(input: ParseStream) -> bool {
    let ahead = input.fork();
    let word = ahead.parse::<Ident>();
    word.is_ok_and(|word| word == "from") && ahead.peek(Token![=]) && !ahead.peek(Token![==])
}
