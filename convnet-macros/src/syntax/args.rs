//! The arguments of one layer: positional ones first, then `key = value`.

use proc_macro2::{Ident, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Result, Token};

use super::split_at_commas;

/// What a word takes, in the order in which it may be left unnamed.
pub(super) struct Arguments {
    word: Ident,
    takes: &'static [&'static str],
    values: Vec<Option<TokenStream>>,
    pub(super) keys: Vec<Ident>,
}

impl Arguments {
    /// Sorts what was written by the names in `takes`, of which the first `unnamed` may be
    /// positional.
    pub(super) fn new(
        word: &Ident,
        takes: &'static [&'static str],
        unnamed: usize,
        tokens: TokenStream,
    ) -> Result<Self> {
        let mut arguments =
            Self { word: word.clone(), takes, values: vec![None; takes.len()], keys: Vec::new() };
        for (position, item) in split_at_commas(tokens).into_iter().enumerate() {
            let (key, value) = key_value.parse2(item)?;
            let index = match &key {
                Some(key) => arguments.index(key)?,
                None if !arguments.keys.is_empty() => {
                    return Err(Error::new_spanned(value, "an unnamed argument after a named one: name it, or put it first"));
                }
                None if position < unnamed => position,
                None => return Err(Error::new_spanned(&value, arguments.too_many(unnamed))),
            };
            let name = takes.get(index).copied().unwrap_or_default();
            if let Some(slot) = arguments.values.get_mut(index) {
                if slot.is_some() {
                    let message = format!("`{name}` is given twice");
                    return Err(key.map_or_else(|| Error::new_spanned(&value, &message), |key| Error::new_spanned(key, &message)));
                }
                *slot = Some(value);
            }
            arguments.keys.extend(key);
        }
        Ok(arguments)
    }

    /// The value of `name`, parsed, or `None` if it was left out.
    pub(super) fn take<T>(&mut self, name: &str, parse: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<Option<T>> {
        let index = self.takes.iter().position(|take| *take == name);
        let value = index.and_then(|index| self.values.get_mut(index)).and_then(Option::take);
        value.map(|value| whole(parse).parse2(value)).transpose()
    }

    /// As [`take`](Self::take), where it must be there; `example` shows the layer with it.
    pub(super) fn need<T>(&mut self, name: &str, example: &str, parse: impl FnOnce(ParseStream<'_>) -> Result<T>) -> Result<T> {
        let word = self.word.clone();
        self.take(name, parse)?.ok_or_else(|| Error::new_spanned(&word, format!("{word} needs `{name}`: `{example}`")))
    }

    fn index(&self, key: &Ident) -> Result<usize> {
        let word = &self.word;
        self.takes.iter().position(|take| key == take).ok_or_else(|| {
            let all = match self.takes {
                [] => format!("{word} takes no arguments"),
                takes => format!("{word} takes {}", takes.join(", ")),
            };
            let near = nearest(&key.to_string(), self.takes.iter().copied());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Error::new_spanned(key, format!("{word} has no argument `{key}`{hint}\n{all}"))
        })
    }

    fn too_many(&self, unnamed: usize) -> String {
        let word = &self.word;
        match (unnamed, self.takes) {
            (_, []) => format!("{word} takes no arguments"),
            (_, takes) => {
                let rest = takes.get(unnamed..).unwrap_or_default();
                match rest {
                    [] => format!("{word} takes {} and no more", takes.join(", ")),
                    [first, ..] => format!("name this argument: `{first} = …` ({word} takes {})", takes.join(", ")),
                }
            }
        }
    }
}

/// `key = value` or `value`.
fn key_value(input: ParseStream<'_>) -> Result<(Option<Ident>, TokenStream)> {
    let key = if input.peek(syn::Ident) && input.peek2(Token![=]) {
        let key = input.parse()?;
        input.parse::<Token![=]>()?;
        Some(key)
    } else {
        None
    };
    let value: TokenStream = input.parse()?;
    match (&key, value.is_empty()) {
        (Some(key), true) => Err(Error::new_spanned(key, format!("`{key}` has no value"))),
        _ => Ok((key, value)),
    }
}

/// `parse`, and then nothing more.
fn whole<T>(parse: impl FnOnce(ParseStream<'_>) -> Result<T>) -> impl FnOnce(ParseStream<'_>) -> Result<T> {
    |input| {
        let value = parse(input)?;
        match input.cursor().token_tree() {
            None => Ok(value),
            Some((token, _)) => Err(Error::new(token.span(), "expected a comma")),
        }
    }
}

/// The candidate that `text` was probably meant to be.
pub(super) fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&text.to_lowercase(), candidate);
    let (distance, nearest) = candidates.map(|c| (distance(c), c)).min()?;
    (distance <= 1 + nearest.len() / 4).then_some(nearest)
}
