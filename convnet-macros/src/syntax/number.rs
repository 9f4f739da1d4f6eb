//! Numbers and sizes as CS231n writes them, width first: `12`, `5x5`, `32x32x3`, `SIZE x SIZE x 3`.

use core::fmt;

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Path, Result, Token, parenthesized};

use super::Written;
use super::odd::{Odd, odd};
use crate::report::Errors;

/// A number that the macro sees, or the name of a constant that only the compiler will.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    /// `12`.
    Known(usize),
    /// `FILTERS`, `config::FILTERS`.
    Named(TokenStream),
}

impl Number {
    /// Its value, if the macro can see it.
    pub(crate) fn known(&self) -> Option<usize> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Named(_) => None,
        }
    }

    /// The single lower-case word that was written here, such as `same`. Constants are not named
    /// so.
    pub(super) fn word(&self) -> Option<Ident> {
        let Self::Named(path) = self else { return None };
        let name: Ident = syn::parse2(path.clone()).ok()?;
        (!name.to_string().contains(char::is_uppercase)).then_some(name)
    }
}

/// Whether they are written the same.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// Whether the macro sees that it is.
impl PartialEq<usize> for Number {
    fn eq(&self, value: &usize) -> bool {
        self.known() == Some(*value)
    }
}

/// As an argument of a type.
impl ToTokens for Number {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Known(value) => Literal::usize_unsuffixed(*value).to_tokens(tokens),
            Self::Named(path) => quote!({ #path }).to_tokens(tokens),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Named(path) => path.to_string().replace(' ', "").fmt(f),
        }
    }
}

/// What one value of an argument may be before anybody knows whose it is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// `12`, `5x5`, `FILTERS x 3`, `same`.
    Numbers(Vec<Number>),
    /// `0.5`.
    Decimal(f64),
    /// What stands in `[0.5, 0.25]`, if the argument takes that.
    List(TokenStream),
    /// `(1, 2)`.
    Tuple(Vec<Number>),
    /// `Scale<T>`.
    Type(TokenStream),
    /// What is none.
    Odd(Odd),
}

impl Value {
    /// The single lower-case word that was written here.
    pub(super) fn word(&self) -> Option<Ident> {
        match self {
            Self::Numbers(numbers) if numbers.len() == 1 => numbers[0].word(),
            _ => None,
        }
    }

    /// The path that was written here.
    pub(super) fn path(&self) -> Option<TokenStream> {
        match self {
            Self::Numbers(numbers) => match numbers.as_slice() {
                [Number::Named(path)] => Some(path.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// ```text
/// value  :=  size | DECIMAL | "(" number ( "," number )* ")" | path "<" argument ( "," argument )* ">"
/// ```
pub(super) fn value(input: ParseStream) -> Result<Written<Value>> {
    if let Some((odd, tokens)) = odd(input)? {
        let value = Value::Odd(odd);
        return Ok(Written { value, tokens });
    }
    if input.peek(syn::token::Paren) {
        return tuple(input);
    }
    if let Ok(literal) = input.fork().parse::<Literal>()
        && literal.to_string().contains(['.', 'e'])
        && let Ok(value) = literal.to_string().replace('_', "").parse::<f64>()
    {
        input.parse::<Literal>()?;
        return Ok(Written {
            value: Value::Decimal(value),
            tokens: literal.into_token_stream(),
        });
    }
    let ahead = input.fork();
    if Path::parse_mod_style(&ahead).is_ok() && ahead.peek(Token![<]) {
        let path = generic(input)?;
        return Ok(Written {
            value: Value::Type(path.clone()),
            tokens: path,
        });
    }
    let Written { value, tokens } = size(input)?;
    Ok(Written {
        value: Value::Numbers(value),
        tokens,
    })
}

/// A path with arguments, `layers::Scale<T, 12>`: what stands between `<` and `>` the compiler reads.
fn generic(input: ParseStream) -> Result<TokenStream> {
    let path = Path::parse_mod_style(input)?;
    item(&path)?;
    let (mut tokens, mut depth) = (path.into_token_stream(), 0);
    loop {
        // As tokens of their own, whatever stands behind them: `>,` would be glued to what is emitted there.
        if input.peek(Token![->]) {
            input.parse::<Token![->]>()?.to_tokens(&mut tokens);
        } else if input.peek(Token![<]) {
            input.parse::<Token![<]>()?.to_tokens(&mut tokens);
            depth += 1;
        } else if input.peek(Token![>]) {
            input.parse::<Token![>]>()?.to_tokens(&mut tokens);
            depth -= 1;
        } else {
            input.parse::<TokenTree>()?.to_tokens(&mut tokens);
        }
        if depth == 0 {
            return Ok(tokens);
        }
    }
}

fn tuple(input: ParseStream) -> Result<Written<Value>> {
    let content;
    let brackets = parenthesized!(content in input).span.join();
    let numbers = Punctuated::<_, Token![,]>::parse_terminated_with(&content, |input| {
        let Written { mut value, tokens } = size(input)?;
        match (value.pop(), value.is_empty()) {
            (Some(number), true) => Ok(number),
            _ => Err(syn::Error::new_spanned(tokens, "expected one number")),
        }
    });
    if numbers.is_err() {
        content.parse::<TokenStream>()?;
    }
    let value = Value::Tuple(numbers?.into_iter().collect());
    Ok(Written {
        value,
        tokens: quote_spanned!(brackets=> unwritten),
    })
}

/// ```text
/// size    :=  number ( "x" number )*            5x5 and 5xF are one literal to Rust
/// number  :=  INTEGER | path to a const
/// ```
pub(super) fn size(input: ParseStream) -> Result<Written<Vec<Number>>> {
    let (mut value, mut tokens) = (Vec::new(), TokenStream::new());
    loop {
        if input.peek(syn::Lit) {
            let literal: Literal = input.parse()?;
            dimensions(&literal, &mut value)?;
            literal.to_tokens(&mut tokens);
        } else if input.peek(syn::Ident)
            || input.peek(Token![::])
            || input.peek(Token![crate])
            || input.peek(Token![self])
            || input.peek(Token![super])
        {
            let path = Path::parse_mod_style(input)?;
            item(&path)?;
            let path = path.into_token_stream();
            if let Some(apart) = apart(&path) {
                let message = format!("`{path}` is one name to Rust\nwrite `{apart}`");
                return Err(syn::Error::new_spanned(path, message));
            }
            tokens.extend(path.clone());
            // What is wrong with the `N` of `N x N` is wrong with one of them.
            let number = Number::Named(path);
            let first = value
                .iter()
                .find(|other| other.to_string() == number.to_string());
            value.push(first.cloned().unwrap_or(number));
        } else {
            return Err(
                input.error("expected a number, a size such as `5x5`, or the name of a `const`")
            );
        }
        match input.fork().parse::<Ident>() {
            Ok(x) if x == "x" => input.parse::<Ident>()?.to_tokens(&mut tokens),
            _ => return Ok(Written { value, tokens }),
        }
    }
}

/// Whether a path leads to an item: `crate` alone is a path to Rust too.
fn item(path: &Path) -> Result<()> {
    match path.segments.last() {
        Some(last)
            if ["crate", "self", "super", "Self"]
                .iter()
                .any(|word| last.ident == word) =>
        {
            let shown = path.to_token_stream().to_string().replace(' ', "");
            let message =
                format!("`{shown}` leads to no item\nname what is in it: `{shown}::NAME`");
            Err(syn::Error::new_spanned(path, message))
        }
        _ => Ok(()),
    }
}

/// `F x F` of `FxF`, where each part is a constant's name or a number; constants have no small letters.
fn apart(path: &TokenStream) -> Option<String> {
    let name = syn::parse2::<Ident>(path.clone()).ok()?.to_string();
    let of_constant = |c: char| c.is_uppercase() || c.is_ascii_digit() || c == '_';
    let parts: Vec<&str> = name.split('x').collect();
    let right = |part: &&str| !part.is_empty() && part.chars().all(of_constant);
    (parts.len() > 1 && parts.iter().all(right)).then(|| parts.join(" x "))
}

/// `32 32` as `32 x 32`: of `32×32` the compiler, which has reported the `×`, hands on no more.
pub(super) fn times_as_x(tokens: TokenStream) -> TokenStream {
    let mut after_literal = false;
    let trees = tokens.into_iter().flat_map(|tree| {
        let is_literal = matches!(tree, TokenTree::Literal(_));
        let x = (core::mem::replace(&mut after_literal, is_literal) && is_literal)
            .then(|| TokenTree::Ident(Ident::new("x", tree.span())));
        x.into_iter().chain([tree])
    });
    trees.collect()
}

/// The size of the image, rows first; `None` if it was reported.
pub(super) fn image(size: Written<Value>, errors: &mut Errors) -> Option<Written<[Number; 3]>> {
    let Written { value, tokens } = size;
    let Value::Numbers(numbers) = value else {
        errors.push(tokens, "an input is width x height x depth: `32x32x3`");
        return None;
    };
    match <[Number; 3]>::try_from(numbers) {
        Ok(size) if size.iter().any(|number| number.known() == Some(0)) => {
            errors.push(tokens, "an input of size 0 shows nothing: at least 1x1x1");
            None
        }
        Ok(size) if is_too_large(&size) => {
            errors.push(
                &tokens,
                format!("an input of {tokens} is more than can be addressed"),
            );
            None
        }
        Ok([width, height, depth]) => Some(Written {
            value: [height, width, depth],
            tokens,
        }),
        Err(numbers) => {
            let found = match numbers.len() {
                1 => "one dimension".into(),
                found => format!("{found} dimensions"),
            };
            let hint = match numbers.as_slice() {
                [w, h] => format!("`{w}x{h}x3` in color, `{w}x{h}x1` in gray"),
                _ => "for example `32x32x3`".into(),
            };
            let message =
                format!("{tokens} has {found}, an input three: width, height, depth\n{hint}");
            errors.push(&tokens, message);
            None
        }
    }
}

/// As many scalars as a volume can have.
const MOST: usize = usize::MAX / 64;

/// Whether more scalars are said than there can be.
fn is_too_large(size: &[Number; 3]) -> bool {
    let known = size.iter().filter_map(Number::known);
    let product = known
        .into_iter()
        .try_fold(1_usize, |product, number| product.checked_mul(number));
    product.is_none_or(|product| product > MOST)
}

/// A volume that a layer writes, rows first; `None` if it was reported.
pub(super) fn volume(size: Written<Value>, errors: &mut Errors) -> Option<[Number; 3]> {
    let Written { value, tokens } = size;
    if let Value::Numbers(numbers) = value
        && let Ok([width, height, depth]) = <[Number; 3]>::try_from(numbers)
        && [&width, &height, &depth]
            .iter()
            .all(|number| number.known() != Some(0))
    {
        return Some([height, width, depth]);
    }
    let message = "a volume is width x height x depth, each at least 1: `32x32x12`";
    errors.push(tokens, message);
    None
}

/// Takes `32x32x3` apart, which is to Rust an integer with the suffix `x32x3`.
///
/// The text is read, not the value: `0x3` is a size with a mistake, not the number 3 in hexadecimal.
fn dimensions(literal: &Literal, numbers: &mut Vec<Number>) -> Result<()> {
    let text = literal.to_string().replace('_', "");
    for part in text.split('x') {
        let named = || syn::parse_str::<Ident>(part).ok();
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers.push(Number::Known(known(literal, part)?));
        } else if let (Some(mut name), false) = (named(), numbers.is_empty()) {
            name.set_span(literal.span());
            numbers.push(Number::Named(quote_spanned!(literal.span()=> #name)));
        } else {
            return Err(not_a_size(literal, &text));
        }
    }
    Ok(())
}

/// Far above any network, and far below where a sum of two could overflow.
const LARGEST: usize = u32::MAX as usize;

fn known(literal: &Literal, digits: &str) -> Result<usize> {
    digits
        .parse()
        .ok()
        .filter(|&number| number <= LARGEST)
        .ok_or_else(|| {
            let message = format!("{digits} is too large: a number is at most {LARGEST}");
            syn::Error::new_spanned(literal, message)
        })
}

fn not_a_size(literal: &Literal, text: &str) -> syn::Error {
    let lower = text.to_ascii_lowercase();
    let hint = match lower.split('x').all(|part| part.parse::<usize>().is_ok()) {
        true => format!("write `{lower}`"),
        false => "numbers are written `12`, sizes `5x5`".into(),
    };
    syn::Error::new_spanned(
        literal,
        format!("`{literal}` is not a number or a size\n{hint}"),
    )
}
