//! Arguments: positional first, then `key = value`; and the words they belong to.

use proc_macro2::{Ident, TokenStream};
use syn::parse::ParseStream;
use syn::{Result, Token, parenthesized};

use super::number::{Number, Value, value};
use super::words::{Word, nearest};
use super::{Written, list};
use crate::report::Errors;

/// The arguments of one layer, under the names that its word gives them.
pub(super) struct Args {
    /// The names that the user wrote, or may be about to write.
    pub(super) keys: Vec<Ident>,
    word: Ident,
    signature: &'static Word,
    values: Vec<(&'static str, Written<Value>)>,
    /// Whether one of them was wrong: then one that seems to be missing may be that.
    wrong: bool,
}

struct Arg {
    key: Option<Ident>,
    value: Written<Value>,
}

/// ```text
/// arg  :=  value  |  NAME "=" value
/// ```
fn arg(input: ParseStream) -> Result<Arg> {
    let named = input.peek(syn::Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    let key = named.then(|| input.parse::<Ident>()).transpose()?;
    if named {
        input.parse::<Token![=]>()?;
    }
    Ok(Arg {
        key,
        value: value(input)?,
    })
}

impl Args {
    /// Reads `( arg, … )`, if anything stands in brackets, and gives every value its name.
    pub(super) fn parse(
        input: ParseStream,
        word: &Ident,
        signature: &'static Word,
        errors: &mut Errors,
    ) -> Result<Self> {
        let mut args = Self {
            keys: Vec::new(),
            word: word.clone(),
            signature,
            values: Vec::new(),
            wrong: false,
        };
        let before = errors.count();
        let mut position = signature.positional.iter();
        let mut after_key = false;
        for arg in bracketed(input, errors)? {
            let Some(Arg { key, value }) = arg else {
                position.next();
                continue;
            };
            let name = match &key {
                Some(key) => args.keyed(key, errors),
                None => {
                    args.keys.extend(value.value.word());
                    if after_key {
                        let message = "an argument without a name stands before those with one";
                        errors.push(&value.tokens, message);
                    }
                    args.positional(position.next(), &value, errors)
                }
            };
            after_key |= key.is_some();
            if let Some(name) = name {
                args.insert(name, key.as_ref(), value, errors);
            }
            args.keys.extend(key);
        }
        args.wrong = errors.count() > before;
        Ok(args)
    }

    /// The value of an argument, if it was written.
    pub(super) fn take(&mut self, name: &str) -> Option<Written<Value>> {
        let at = self.values.iter().position(|(known, _)| *known == name)?;
        Some(self.values.swap_remove(at).1)
    }

    /// As [`take`](Self::take), of an argument that must be there.
    pub(super) fn need(&mut self, name: &str, errors: &mut Errors) -> Option<Written<Value>> {
        let value = self.take(name);
        if value.is_none() && !self.wrong {
            let (word, example) = (&self.word, self.signature.example);
            errors.push(
                word,
                format!("`{word}` is missing its {name}\nfor example `{example}`"),
            );
        }
        value
    }

    /// The size that stands where the number of filters should: `conv(5x5, 12)`, `conv(5x5)`.
    pub(super) fn size_instead_of_filters(&self) -> Option<&TokenStream> {
        let dimensions = |name| {
            self.values
                .iter()
                .find_map(|(known, value)| match &value.value {
                    Value::Numbers(numbers) if *known == name => {
                        Some((numbers.len(), &value.tokens))
                    }
                    _ => None,
                })
        };
        let (filters, tokens) = dimensions("filters")?;
        let size = dimensions("size").map_or(1, |(dimensions, _)| dimensions);
        (filters > 1 && size == 1).then_some(tokens)
    }

    /// One number.
    pub(super) fn number(
        &self,
        name: &str,
        value: Written<Value>,
        errors: &mut Errors,
    ) -> Option<Written<Number>> {
        let Written { value, tokens } = value;
        let number = match value {
            Value::Numbers(mut numbers) if numbers.len() == 1 => numbers.pop(),
            _ => None,
        };
        match number {
            Some(number) if number.word().is_none() => Some(Written {
                value: number,
                tokens,
            }),
            _ => {
                let example = self.signature.example;
                errors.push(
                    tokens,
                    format!("{name} is one number\nfor example `{example}`"),
                );
                None
            }
        }
    }

    /// The argument that `key` names.
    fn keyed(&self, key: &Ident, errors: &mut Errors) -> Option<&'static str> {
        let names = || self.signature.names();
        let text = key.to_string();
        if let Some(name) = names().find(|name| *name == text) {
            return Some(name);
        }
        let word = &self.word;
        let mut message = format!("`{word}` has no argument `{text}`");
        match nearest(&text, names()) {
            Some(name) => message += &format!("; did you mean `{name}`?"),
            None if names().next().is_none() => message += "; it takes none",
            None => {}
        }
        if names().next().is_some() {
            let names: Vec<_> = names().collect();
            message += &format!("\nits arguments: {}", names.join(", "));
        }
        errors.push(key, message);
        None
    }

    /// The argument that stands at a position.
    fn positional(
        &self,
        name: Option<&&'static str>,
        value: &Written<Value>,
        errors: &mut Errors,
    ) -> Option<&'static str> {
        if name.is_none() {
            let word = &self.word;
            let example = self.signature.example;
            let message = match self.signature.positional {
                [] if self.signature.keyed.is_empty() => format!("`{word}` takes no arguments"),
                [..] => format!("an argument too many\nfor example `{example}`"),
            };
            errors.push(&value.tokens, message);
        }
        name.copied()
    }

    fn insert(
        &mut self,
        name: &'static str,
        key: Option<&Ident>,
        value: Written<Value>,
        errors: &mut Errors,
    ) {
        if self.values.iter().any(|(known, _)| *known == name) {
            let message = format!("{name} is given twice");
            match key {
                Some(key) => errors.push(key, message),
                None => errors.push(value.tokens, message),
            }
        } else {
            self.values.push((name, value));
        }
    }
}

fn bracketed(input: ParseStream, errors: &mut Errors) -> Result<Vec<Option<Arg>>> {
    if !input.peek(syn::token::Paren) {
        return Ok(Vec::new());
    }
    let content;
    parenthesized!(content in input);
    Ok(list(&content, errors, |input, _| arg(input)))
}
