//! Values that no argument has: `-1`, `"same"`, `true`, `2 * N`; and what is said of them.

use convnet_core::graph::Arg;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Result, Token, token};

use super::args::upto_comma;

/// What a value is that none should be.
#[derive(Clone, Debug)]
pub(super) enum Odd {
    /// `-1`.
    Negative,
    /// `"same"`.
    Text(String),
    /// `true`, and Python's `True` and `None`.
    Word,
    /// `5 * 5`, as it should have been written.
    Times(String),
    /// `.5`.
    Fraction,
    /// `2 * N`, `LABELS.len()`.
    Computed,
}

/// An odd value, if one comes: what it is, and its tokens.
pub(super) fn odd(input: ParseStream) -> Result<Option<(Odd, TokenStream)>> {
    let first = match input.is_empty() {
        true => return Ok(None),
        false => input.fork().parse::<TokenTree>()?,
    };
    let odd = match &first {
        TokenTree::Punct(minus) if minus.as_char() == '-' && input.peek2(syn::Lit) => Odd::Negative,
        TokenTree::Punct(dot) if dot.as_char() == '.' && input.peek2(syn::Lit) => Odd::Fraction,
        TokenTree::Punct(punct) if "&|!#".contains(punct.as_char()) => Odd::Computed,
        TokenTree::Ident(word) => match word.to_string().as_str() {
            "true" | "false" | "True" | "False" | "None" => Odd::Word,
            _ => return computed(input),
        },
        TokenTree::Literal(literal) => match literal.to_string() {
            text if text.starts_with(['"', '\'', 'b', 'r', 'c']) => {
                Odd::Text(text.trim_matches(['"', '\'']).to_owned())
            }
            _ => return computed(input),
        },
        // What another macro hands on is a value like others.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => return Ok(None),
        TokenTree::Group(_) if input.peek(token::Paren) => return computed(input),
        TokenTree::Group(_) => Odd::Computed,
        TokenTree::Punct(_) => return computed(input),
    };
    Ok(Some((odd, upto_comma(input)?)))
}

/// What is computed: an operator, a method or a call behind the first of it.
fn computed(input: ParseStream) -> Result<Option<(Odd, TokenStream)>> {
    let ahead = input.fork();
    let mut times = true;
    let mut parts = Vec::new();
    loop {
        // A size, or a path, of which a call is part.
        let mut part = String::new();
        let operator = loop {
            if ahead.is_empty() || ahead.peek(Token![,]) {
                break None;
            }
            let stands_alone = part.is_empty();
            match ahead.parse::<TokenTree>()? {
                TokenTree::Punct(punct) if "*+/%.".contains(punct.as_char()) => {
                    break Some(punct.as_char());
                }
                TokenTree::Punct(punct) if punct.as_char() == '-' && !ahead.peek(Token![>]) => {
                    break Some('-');
                }
                TokenTree::Punct(punct) if punct.as_char() == '<' && part.ends_with("::") => {
                    break Some('<');
                }
                TokenTree::Punct(punct) if punct.as_char() != ':' => return Ok(None),
                TokenTree::Group(group)
                    if !stands_alone && group.delimiter() != Delimiter::None =>
                {
                    break Some('(');
                }
                TokenTree::Ident(word) if word == "as" && !stands_alone => break Some('a'),
                other => part += &other.to_string(),
            }
        };
        parts.push(part);
        match operator {
            None if parts.len() == 1 => return Ok(None),
            None => break,
            Some('*') => {}
            Some(_) => {
                times = false;
                break;
            }
        }
    }
    let known = |part: &String| part.parse::<usize>().is_ok();
    let odd = match times && parts.iter().all(known) {
        true => Odd::Times(parts.join("x")),
        false => Odd::Computed,
    };
    Ok(Some((odd, upto_comma(input)?)))
}

impl Odd {
    /// What is said of it where an argument is expected.
    pub(super) fn message(&self, argument: &Arg, tokens: &TokenStream) -> String {
        let shown = tokens.to_string();
        let shown = shown.replace("- ", "-");
        let (name, form) = (argument.name, argument.takes.form());
        match (self, name) {
            (Self::Word, "bias") if shown.eq_ignore_ascii_case("true") => {
                "every filter learns a bias: leave `bias` out".into()
            }
            (Self::Word, "bias" | "affine") => form.into(),
            (Self::Text(text), "pad") if text.eq_ignore_ascii_case("valid") => {
                "no padding is the default: leave `pad` out".into()
            }
            (Self::Text(text), "pad" | "fit" | "bias" | "affine")
                if matches!(
                    &*text.to_ascii_lowercase(),
                    "same" | "exact" | "crop" | "pad" | "none"
                ) =>
            {
                format!(
                    "a word stands without quotes: `{name} = {}`",
                    text.to_ascii_lowercase()
                )
            }
            (Self::Word, "pad") => {
                format!("no padding is the default: leave `pad` out\notherwise {form}")
            }
            (Self::Negative, _) => format!("{shown} is below 0: {form}"),
            (Self::Text(_), _) => format!("{shown} is text: {form}"),
            (Self::Word, _) => format!("`{shown}` is no value: {form}"),
            (Self::Fraction, _) => format!(
                "a number begins with a digit: `0{}`",
                shown.replace(' ', "")
            ),
            (Self::Computed, _) if shown.starts_with('[') => form.into(),
            (Self::Computed, "rate") if shown.ends_with('%') => form.into(),
            (Self::Times(size), _) => format!("a size is written with an `x`: `{size}`"),
            (Self::Computed, _) => {
                let computed = shown.trim_matches(['{', '}', ' ']);
                // Not of itself.
                let mut names = computed.split(|c: char| !c.is_alphanumeric() && c != '_');
                let name = match names.any(|name| name == "N") {
                    true => "COUNT",
                    false => "N",
                };
                format!(
                    "`{shown}` would have to be computed: an argument is a number or the name of a `const`\n\
                     write it out, or name it: `const {name}: usize = {computed};`"
                )
            }
        }
    }
}
