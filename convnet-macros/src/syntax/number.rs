//! Numbers and sizes: `12`, `FILTERS`, `5x5`, `32x32xDEPTH`.
//!
//! To rustc `32x32x3` is one literal with a suffix, and `WIDTHxHEIGHT` one identifier. Both reach
//! us as one token and can be underlined as one.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::Result;
use syn::parse::ParseStream;

/// A number, or the name of a `const` that holds one.
#[derive(Clone)]
pub(crate) enum Value {
    Number(usize),
    Const(Ident),
}

/// A number as it was written.
#[derive(Clone)]
pub(crate) struct Number {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

impl Number {
    pub(crate) fn new(value: usize, span: Span) -> Self {
        Self { value: Value::Number(value), span }
    }

    /// The number, if it is not hidden behind a name.
    pub(crate) fn known(&self) -> Option<usize> {
        match self.value {
            Value::Number(value) => Some(value),
            Value::Const(_) => None,
        }
    }
}

/// For errors: underlines what was written.
impl ToTokens for Number {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.value {
            Value::Number(value) => {
                let mut literal = Literal::usize_unsuffixed(*value);
                literal.set_span(self.span);
                tokens.append(literal);
            }
            Value::Const(name) => tokens.append(name.clone()),
        }
    }
}

/// No dimension of a known network comes near; a number beyond it is a slip.
const LARGEST: usize = 1 << 24;

/// Parses `5x5`, `32 x 32 x DEPTH` or `12`: one number a dimension.
pub(crate) fn dimensions(input: ParseStream<'_>) -> Result<Vec<Number>> {
    // Tokens stand for one size as long as they are joined by `x`.
    let mut pieces: Vec<(String, Span)> = vec![(String::new(), input.span())];
    while !input.is_empty() && !input.peek(syn::Token![,]) {
        let token: TokenTree = input.parse()?;
        let text = match &token {
            TokenTree::Ident(name) => name.to_string(),
            TokenTree::Literal(number) => number.to_string(),
            other => {
                return Err(syn::Error::new_spanned(other, "a size is written `5x5`, `12` or `NAME`"));
            }
        };
        for (index, piece) in text.split('x').enumerate() {
            match pieces.last_mut() {
                Some((last, span)) if index == 0 => {
                    if last.is_empty() {
                        *span = token.span();
                    } else if !piece.is_empty() {
                        return Err(syn::Error::new_spanned(
                            token,
                            "expected `x`, as in `5x5`, or a comma",
                        ));
                    }
                    last.push_str(piece);
                }
                _ => pieces.push((piece.to_owned(), token.span())),
            }
        }
    }
    pieces.into_iter().map(|(text, span)| number(&text, span)).collect()
}

fn number(text: &str, span: Span) -> Result<Number> {
    let fail = |message: String| Err(syn::Error::new(span, message));
    let digits = text.replace('_', "");
    if digits.starts_with(|c: char| c.is_ascii_digit()) {
        return match digits.parse() {
            Ok(value) if value <= LARGEST => Ok(Number::new(value, span)),
            Ok(_) => fail(format!("{text} is too large: the largest number allowed here is {LARGEST}")),
            Err(_) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                fail(format!("{text} is too large: the largest number allowed here is {LARGEST}"))
            }
            Err(_) => fail(format!("`{text}` is not a whole number")),
        };
    }
    let is_const = text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    match text {
        "" | "_" => fail("a number is missing: a size is written `5x5`".to_owned()),
        _ if is_const => Ok(Number { value: Value::Const(Ident::new(text, span)), span }),
        _ => fail(format!("`{text}` is neither a number nor the NAME of a const")),
    }
}
