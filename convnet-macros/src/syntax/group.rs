//! Layers between brackets.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Result, Token, braced, bracketed, parenthesized, token};

use super::{Item, Line, Written, lines};
use crate::report::Errors;

/// Brackets in brackets; more would only be there to overflow the stack.
const DEEPEST: usize = 8;

/// `[conv(64, 3x3, pad = 1), relu] * 2`; `stage1: [conv(64, 3x3, pad = 1), relu]`, or whatever else
/// stands there `once`.
pub(super) fn repeat(
    input: ParseStream,
    docs: TokenStream,
    name: Option<Ident>,
    (depth, once): (usize, bool),
    errors: &mut Errors,
) -> Result<Item> {
    let content;
    let brackets = if input.peek(token::Bracket) {
        bracketed!(content in input).span.join()
    } else if input.peek(token::Paren) {
        parenthesized!(content in input).span.join()
    } else {
        braced!(content in input).span.join()
    };
    let array = as_array(&content)?;
    let inside = array.is_some();
    let items = match array {
        Some(lines) => {
            let items = |content: ParseStream| items(content, brackets, depth, errors);
            items.parse2(lines)?
        }
        None => items(&content, brackets, depth, errors)?,
    };
    let mut count = Written {
        value: 1,
        tokens: TokenStream::new(),
    };
    if input.peek(Token![*]) {
        input.parse::<Token![*]>()?;
        count = self::count(input, errors)?;
    } else if let Some(times) = times(input)? {
        let message = "how often stands behind a `*`: `[conv(64, 3x3, pad = 1), relu] * 2`";
        errors.push(times, message);
    } else if inside {
        errors.absorb(syn::Error::new(brackets, BEHIND));
    } else if !once {
        let message = "how often? a repetition is written `[conv(64, 3x3, pad = 1), relu] * 2`";
        errors.absorb(syn::Error::new(brackets, message));
    }
    Ok(Item::Repeat {
        docs,
        name,
        items,
        count,
    })
}

const BEHIND: &str = "how often stands behind the brackets: `[conv(64, 3x3, pad = 1), relu] * 2`";

/// `x 3`, `x3`, as one says it, if that is what comes.
fn times(input: ParseStream) -> Result<Option<Ident>> {
    let Ok(word) = input.fork().parse::<Ident>() else {
        return Ok(None);
    };
    let count = word.to_string();
    let Some(count) = count.strip_prefix('x') else {
        return Ok(None);
    };
    let apart = count.is_empty() && input.peek2(syn::Lit);
    if !apart && count.parse::<usize>().is_err() {
        return Ok(None);
    }
    input.parse::<Ident>()?;
    if apart {
        input.parse::<TokenTree>()?;
    }
    Ok(Some(word))
}

/// How often; once if that is wrong.
fn count(input: ParseStream, errors: &mut Errors) -> Result<Written<usize>> {
    let mut value = 1;
    if input.is_empty() || input.peek(Token![,]) {
        errors.absorb(input.error("expected a number: how often?"));
        let tokens = TokenStream::new();
        return Ok(Written { value, tokens });
    }
    // A literal first: another macro may hand one on in a group of its own.
    let count = match input.parse::<Literal>() {
        Ok(literal) => literal.into(),
        Err(_) => input.parse::<TokenTree>()?,
    };
    let tokens = count.to_token_stream();
    match &count {
        TokenTree::Literal(literal) => match literal.to_string().parse() {
            Ok(number @ 1..) => value = number,
            _ => {
                let message = "a repetition is repeated a whole number of times, at least once";
                errors.push(count, message);
            }
        },
        _ => {
            let message =
                "expected a number: the macro writes the layers out, so it must see how often";
            errors.push(count, message);
            // The rest of `N + 1`.
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
        }
    }
    Ok(Written { value, tokens })
}

/// The lines of `[conv(64, 3x3), relu; 2]`, as Rust writes an array, if that is what it is.
fn as_array(content: ParseStream) -> Result<Option<TokenStream>> {
    let trees: Vec<TokenTree> = content.fork().parse::<TokenStream>()?.into_iter().collect();
    match trees.as_slice() {
        [lines @ .., TokenTree::Punct(last), _] if last.as_char() == ';' => {
            content.parse::<TokenStream>()?;
            Ok(Some(lines.iter().cloned().collect()))
        }
        _ => Ok(None),
    }
}

/// `2 * [conv(64, 3x3), relu]`: it is reported, and the brackets follow.
pub(super) fn count_in_front(input: ParseStream, errors: &mut Errors) -> Result<bool> {
    let counts = input.peek(syn::Lit) || input.peek(syn::Ident) && input.peek3(token::Bracket);
    if !counts || !input.peek2(Token![*]) {
        return Ok(false);
    }
    let count: TokenTree = input.parse()?;
    input.parse::<Token![*]>()?;
    errors.push(count, BEHIND);
    Ok(true)
}

/// Whether braces follow that stand where brackets should: `stage1: { … }`, `for … { … }`. They are
/// reported.
pub(super) fn in_braces(input: ParseStream, errors: &mut Errors) -> Result<bool> {
    if input.peek(Token![for]) || input.peek(Token![while]) || input.peek(Token![loop]) {
        let word: TokenTree = input.parse()?;
        errors.push(
            &word,
            format!("`{word}` is no layer, and repeats none\n{BEHIND}"),
        );
        while !input.is_empty() && !input.peek(token::Brace) {
            input.parse::<TokenTree>()?;
        }
        return Ok(input.peek(token::Brace));
    }
    if !input.peek(token::Brace) && !input.peek(token::Paren) {
        return Ok(false);
    }
    let braces: Group = input.fork().parse()?;
    let what = braces
        .stream()
        .into_iter()
        .next()
        .map(|tree| tree.to_string());
    let message = match what.as_deref() {
        // As ConvNetJS does.
        Some("type") => {
            "a layer is its word and its arguments: `conv(16, 5x5, stride = 1, pad = 2)`"
        }
        _ => "layers that belong together stand in brackets: `[conv(64, 3x3, pad = 1), relu]`",
    };
    let error = syn::Error::new(braces.span_open(), message);
    if what.as_deref() == Some("type") {
        return Err(error);
    }
    errors.absorb(error);
    Ok(true)
}

/// `conv(64, 3x3) * 2`: only what stands in brackets is repeated.
pub(super) fn no_count(input: ParseStream, errors: &mut Errors) -> Result<()> {
    if input.peek(Token![*]) {
        let star: Token![*] = input.parse()?;
        let message = "what is repeated stands in brackets: `[conv(64, 3x3, pad = 1), relu] * 2`";
        errors.push(star, message);
        count(input, &mut Errors::default())?;
    }
    Ok(())
}

/// The lines between `brackets`, one level deeper.
pub(super) fn items(
    content: ParseStream,
    brackets: Span,
    depth: usize,
    errors: &mut Errors,
) -> Result<Vec<Item>> {
    deeper(content, brackets, depth)?;
    let items = lines(content, depth + 1, errors)
        .into_iter()
        .filter_map(|line| match line {
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
