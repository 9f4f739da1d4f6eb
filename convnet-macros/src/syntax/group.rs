//! Layers between brackets.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Result, Token, bracketed};

use super::{Item, Line, Written, line, list};
use crate::report::Errors;

/// Brackets in brackets; more would only be there to overflow the stack.
const DEEPEST: usize = 8;

/// `[conv(64, 3x3, pad = 1), relu] * 2`; `stage1: [conv(64, 3x3, pad = 1), relu]`.
pub(super) fn repeat(
    input: ParseStream,
    docs: TokenStream,
    name: Option<Ident>,
    depth: usize,
    errors: &mut Errors,
) -> Result<Item> {
    let content;
    let brackets = bracketed!(content in input).span.join();
    let items = items(&content, brackets, depth, errors)?;
    if name.is_some() && !input.peek(Token![*]) {
        let count = Written {
            value: 1,
            tokens: TokenStream::new(),
        };
        return Ok(Item::Repeat {
            docs,
            name,
            items,
            count,
        });
    }
    if !input.peek(Token![*]) {
        let message = "how often? a repetition is written `[conv(64, 3x3, pad = 1), relu] * 2`";
        return Err(syn::Error::new(brackets, message));
    }
    input.parse::<Token![*]>()?;
    let count: Literal = input.parse().map_err(|error| {
        let message =
            "expected a number: the macro writes the layers out, so it must see how often";
        syn::Error::new(error.span(), message)
    })?;
    let tokens = count.to_token_stream();
    match count.to_string().parse() {
        Ok(value @ 1..) => Ok(Item::Repeat {
            docs,
            name,
            items,
            count: Written { value, tokens },
        }),
        _ => {
            let message = "a repetition is repeated a whole number of times, at least once";
            Err(syn::Error::new_spanned(count, message))
        }
    }
}

/// The lines between `brackets`, one level deeper.
pub(super) fn items(
    content: ParseStream,
    brackets: Span,
    depth: usize,
    errors: &mut Errors,
) -> Result<Vec<Item>> {
    deeper(content, brackets, depth)?;
    let lines = list(content, errors, |input, errors| {
        line(input, depth + 1, errors)
    });
    let items = lines.into_iter().flatten().filter_map(|line| match line {
        Line::Item(item) => Some(item),
        Line::Shortcut(shortcut) => {
            shortcut.misplaced(errors);
            None
        }
        Line::Input { .. } => None,
    });
    Ok(items.collect())
}

/// Whether brackets may lie in brackets here.
pub(super) fn deeper(content: ParseStream, brackets: Span, depth: usize) -> Result<()> {
    if depth < DEEPEST {
        return Ok(());
    }
    content.parse::<TokenStream>()?;
    let message = format!("brackets lie at most {DEEPEST} deep");
    Err(syn::Error::new(brackets, message))
}
