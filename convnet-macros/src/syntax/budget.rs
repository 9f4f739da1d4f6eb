//! `#[budget(ram = 64 KiB, flash = 256 KiB)]`, and `#[row_by_row]`, which saves some of it.

use convnet_core::plan::Memory;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Result, Token};

use super::attribute::Attribute;
use super::words::nearest;
use super::{Listed, Mention, Written, list};
use crate::report::Errors;

/// One limit of a budget.
pub(crate) struct Limit {
    /// Of what.
    pub(crate) memory: Memory,
    /// Bytes, and where they are written.
    pub(crate) bytes: Written<u64>,
    /// The limit as the user wrote it: `64 KiB`.
    pub(crate) text: String,
    /// The name `ram` or `flash`.
    pub(crate) key: Ident,
}

/// Takes the budget out of the attributes.
pub(super) fn take(
    attrs: &mut Vec<Attribute>,
    mentions: &mut Vec<Mention>,
    errors: &mut Errors,
) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    let (budgets, others): (Vec<_>, Vec<_>) = attrs
        .drain(..)
        .partition(|attr| attr.path.is_ident("budget"));
    *attrs = others;
    for budget in budgets {
        let before = errors.count();
        let mut keys = Vec::new();
        for limit in read(&budget, errors) {
            keys.push(limit.key.clone());
            if limits.iter().any(|other| other.memory == limit.memory) {
                errors.push(&limit.key, format!("{} is given twice", limit.key));
            } else {
                limits.push(limit);
            }
        }
        if let Some(word) = budget.path.get_ident() {
            let (word, right) = (word.clone(), errors.count() == before);
            mentions.push(Mention { word, keys, right });
        }
    }
    limits
}

/// Takes `#[word]` out of the attributes; whether it was there.
pub(super) fn take_word(attrs: &mut Vec<Attribute>, word: &str, errors: &mut Errors) -> bool {
    let all = attrs.len();
    attrs.retain(|attr| {
        let ours = attr.path.is_ident(word);
        if ours && !attr.is_word() {
            errors.push(attr, format!("`#[{word}]` has no arguments"));
        }
        !ours
    });
    attrs.len() < all
}

fn read(budget: &Attribute, errors: &mut Errors) -> Vec<Limit> {
    let read = budget.arguments(|input| Ok(list(input, &LIMITS, errors, |input, _| limit(input))));
    let Some(parsed) = read else {
        let example = "`#[budget(ram = 64 KiB, flash = 256 KiB)]`";
        errors.push(budget, format!("a budget of what? {example}"));
        return Vec::new();
    };
    errors.ok(parsed).into_iter().flatten().flatten().collect()
}

const LIMITS: Listed = Listed {
    what: "limits",
    begins: |input| input.peek(syn::Ident),
};

/// ```text
/// limit  :=  ( "ram" | "flash" ) "=" INTEGER UNIT
/// ```
fn limit(input: ParseStream) -> Result<Limit> {
    let key: Ident = input.parse().map_err(|error| {
        let message = "a budget of what? `ram = 64 KiB`, `flash = 256 KiB`";
        syn::Error::new(error.span(), message)
    })?;
    let name = key.to_string();
    let memory = match name.as_str() {
        "ram" => Memory::Ram,
        "flash" => Memory::Flash,
        _ => {
            let hint = nearest(&name, ["ram", "flash"].into_iter());
            let hint = hint.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
            let message = format!(
                "a budget has no `{name}`{hint}\nit has `ram` for activations and `flash` for parameters"
            );
            return Err(syn::Error::new_spanned(key, message));
        }
    };
    input.parse::<Token![=]>()?;
    let number: Literal = input.parse().map_err(|error| {
        syn::Error::new(error.span(), "expected a number of bytes, such as `64 KiB`")
    })?;
    if let Some(text) = number.to_string().strip_prefix('"') {
        let text = text.trim_end_matches('"');
        let message = format!("a budget stands without quotes: `{key} = {text}`");
        return Err(syn::Error::new_spanned(number, message));
    }
    let unit: Option<Ident> = input.parse()?;
    let mut tokens = number.to_token_stream();
    unit.to_tokens(&mut tokens);
    let (bytes, text) = bytes(&number, unit.as_ref(), &tokens)?;
    Ok(Limit {
        memory,
        bytes: Written {
            value: bytes,
            tokens,
        },
        text,
        key,
    })
}

fn bytes(number: &Literal, unit: Option<&Ident>, tokens: &TokenStream) -> Result<(u64, String)> {
    let text = number.to_string().replace('_', "");
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let written = match unit {
        Some(unit) => unit.to_string(),
        None => text[digits.len()..].into(),
    };
    let error = |message: String| Err(syn::Error::new_spanned(tokens, message));
    let factor: u64 = match written.as_str() {
        "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "" => {
            return error(format!(
                "{digits} of what? `{digits} B`, `{digits} KiB`, `{digits} MiB`"
            ));
        }
        other => {
            return error(format!(
                "`{other}` is no unit: B, KiB or MiB (1024), kB or MB (1000)"
            ));
        }
    };
    match digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
    {
        Some(bytes) => Ok((bytes, format!("{digits} {written}"))),
        None => error("expected a whole number of bytes, such as `64 KiB`".into()),
    }
}
