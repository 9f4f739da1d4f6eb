//! What stands between commas, and what stands there instead.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Result, Token};

use crate::report::Errors;

/// What stands between commas.
pub(super) struct Listed {
    /// What they are called.
    pub(super) what: &'static str,
    /// Whether one of them may begin here: then only a comma is missing.
    pub(super) begins: fn(ParseStream) -> bool,
}

/// Reads what stands between brackets, `item, item, …`. What is wrong is reported and gives `None`,
/// and the list goes on after the next comma.
pub(super) fn list<T>(
    input: ParseStream,
    listed: &Listed,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream, &mut Errors) -> Result<T>,
) -> Vec<Option<T>> {
    let mut items = Vec::new();
    // Who separates by something else does so throughout.
    let mut told = false;
    while !input.is_empty() {
        let item = item(input, errors);
        let end = match &item {
            Ok(_) => separator(input, listed, &mut told, errors),
            Err(_) => skip_to_comma(input),
        };
        items.push(errors.ok(item));
        errors.ok(end);
    }
    items
}

/// A comma, or the end. CS231n's arrow and its like are reported and taken for a comma.
fn separator(
    input: ParseStream,
    listed: &Listed,
    told: &mut bool,
    errors: &mut Errors,
) -> Result<()> {
    let wrong = not_a_comma(input)?;
    let comma = input.parse::<Option<Token![,]>>()?.is_some();
    if !wrong.is_empty() {
        if !core::mem::replace(told, true) {
            let message = format!("{} are separated by commas: `,`", listed.what);
            errors.push(wrong, message);
        }
        return Ok(());
    }
    if comma || input.is_empty() {
        return Ok(());
    }
    let goes_on = (listed.begins)(input);
    if !(goes_on && core::mem::replace(told, true)) {
        let next: TokenTree = input.fork().parse()?;
        let shown = match &next {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => "(".into(),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => "[".into(),
            TokenTree::Group(_) => "{".into(),
            other => other.to_string(),
        };
        errors.push(next, format!("expected `,` before `{shown}`"));
    }
    match goes_on {
        true => Ok(()),
        false => skip_to_comma(input),
    }
}

/// `;`, `|`, `>`, `|>`, `->`, `=>`, if that is what comes.
fn not_a_comma(input: ParseStream) -> Result<TokenStream> {
    let mut wrong = TokenStream::new();
    loop {
        let arrow = input.peek(Token![->]) || input.peek(Token![=>]);
        if arrow {
            wrong.extend([input.parse::<TokenTree>()?]);
        }
        if arrow || input.peek(Token![;]) || input.peek(Token![|]) || input.peek(Token![>]) {
            wrong.extend([input.parse::<TokenTree>()?]);
        } else {
            return Ok(wrong);
        }
    }
}

fn skip_to_comma(input: ParseStream) -> Result<()> {
    while !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
