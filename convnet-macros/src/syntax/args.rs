//! Arguments: positional first, then `key = value`; and the words they belong to.

use std::ops::RangeBounds;

use convnet_core::graph::{Arg as Argument, Takes, Word};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Result, Token, parenthesized, token};

use super::number::{Number, Value, value};
use super::odd::Odd;
use super::words::nearest;
use super::{Listed, Written, foreign, list, number, words};
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

const ARGS: Listed = Listed {
    what: "arguments",
    begins: |input| {
        let named = input.peek(syn::Ident) && (input.peek2(Token![=]) || input.peek2(Token![:]));
        named || input.peek(syn::Lit)
    },
};

/// ```text
/// arg  :=  value  |  NAME "=" value
/// ```
fn arg(input: ParseStream, errors: &mut Errors) -> Result<Arg> {
    let key = key(input, errors)?;
    Ok(Arg {
        key,
        value: value(input)?,
    })
}

/// The name of an argument, if it has one; `pad: 2` and `pad 2` are reported and read as `pad = 2`.
fn key(input: ParseStream, errors: &mut Errors) -> Result<Option<Ident>> {
    let ahead = input.fork();
    let Ok(mut key) = ahead.call(Ident::parse_any) else {
        return Ok(None);
    };
    let is_lower = !key.to_string().contains(char::is_uppercase);
    let colon = ahead.peek(Token![:]) && !ahead.peek(Token![::]);
    let wrong: TokenStream = if ahead.peek(Token![==]) {
        ahead.parse::<Token![==]>()?.into_token_stream()
    } else if ahead.parse::<Option<Token![=]>>()?.is_some() {
        input.advance_to(&ahead);
        return Ok(Some(key));
    } else if colon {
        let mut wrong = ahead.parse::<Token![:]>()?.into_token_stream();
        wrong.extend(
            ahead
                .parse::<Option<Token![=]>>()?
                .map(|it| it.into_token_stream()),
        );
        wrong
    } else if is_lower && lacks_equals(&ahead, words::is_key(&key.to_string())) {
        let wrong = key.to_token_stream();
        // `stride stride = 2`, `const stride = 2`.
        if ahead.peek(syn::Ident) && ahead.peek2(Token![=]) {
            let second: Ident = ahead.parse()?;
            ahead.parse::<Token![=]>()?;
            if !words::is_key(&key.to_string()) {
                key = second;
            }
        }
        wrong
    } else {
        return Ok(None);
    };
    let value: TokenStream = ahead.fork().call(upto_comma)?;
    let message = format!("an argument's value stands behind `=`: `{key} = {value}`");
    errors.push(wrong, message);
    input.advance_to(&ahead);
    Ok(Some(key))
}

/// Whether a value follows a name: `stride 2`, `pad (1, 2)`; but not `size x size`.
fn lacks_equals(ahead: ParseStream, is_key: bool) -> bool {
    let x = |word: Ident| word == "x";
    ahead.peek(syn::Lit)
        || is_key && ahead.peek(token::Paren)
        || ahead.peek(syn::Ident) && !ahead.fork().parse().is_ok_and(x)
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
        let mut position = positional(signature);
        let mut after_key = false;
        let mut without = Vec::new();
        let bracketed = bracketed(input, signature, word, errors)?;
        let told = errors.count() > before;
        for arg in bracketed {
            let Some(Arg { key, value }) = arg else {
                position.next();
                continue;
            };
            let argument = match &key {
                Some(key) => args.keyed(key, &value, errors),
                None => {
                    // A word may be a name about to be written; a path is none.
                    let next = position.clone().next();
                    if next.is_none_or(|next| next.takes != Takes::Item) {
                        args.keys.extend(value.value.word());
                    }
                    if after_key {
                        // `pad = 2 2`, which was read as if there were a comma, is told of that.
                        if !told {
                            let message = "an argument without a name stands before those with one";
                            errors.push(&value.tokens, message);
                        }
                        position.next();
                        continue;
                    }
                    without.push(value.clone());
                    position.next()
                }
            };
            after_key |= key.is_some();
            if let Some(argument) = argument {
                args.insert(argument, key.as_ref(), value, errors);
            }
            args.keys.extend(key);
        }
        args.count(&without, errors);
        args.wrong = errors.count() > before;
        Ok(args)
    }

    /// The value of an argument, if it was written.
    pub(super) fn take(&mut self, name: &str) -> Option<Written<Value>> {
        let at = self.values.iter().position(|(known, _)| *known == name)?;
        Some(self.values.swap_remove(at).1)
    }

    /// Whether the layer takes an argument of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.signature.arg(name).is_some()
    }

    /// Whether an argument of that name must be there, whatever it takes.
    pub(super) fn must_have(&self, name: &str) -> bool {
        self.signature.arg(name).is_some_and(|arg| arg.positional)
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
        let decimal = match value {
            Value::Decimal(value) => Some(value),
            _ => None,
        };
        let number = match value {
            Value::Numbers(mut numbers) if numbers.len() == 1 => numbers.pop(),
            _ => None,
        };
        match number {
            Some(number) if number.word().is_none() => Some(Written {
                value: number,
                tokens,
            }),
            number => {
                let mut message = match decimal {
                    Some(value) => format!("{tokens} is no whole number: write `{value:.0}`"),
                    None => format!("{name} is one number"),
                };
                if let Some(word) = number.and_then(|number| number.word()) {
                    let capitals = word.to_string().to_ascii_uppercase();
                    message = format!(
                        "`{word}` is no number: one that has a name is a `const`, in capitals\n\
                         `const {capitals}: usize = …;` above, and `{capitals}` here"
                    );
                } else if decimal.is_none() {
                    message += &format!("\nfor example `{}`", self.signature.example);
                }
                errors.push(tokens, message);
                None
            }
        }
    }

    /// The argument that `key` names.
    fn keyed(
        &self,
        key: &Ident,
        value: &Written<Value>,
        errors: &mut Errors,
    ) -> Option<&'static Argument> {
        let names = || self.signature.args.iter().map(|arg| arg.name);
        let text = key.to_string();
        if let Some(argument) = self.signature.arg(&text) {
            return Some(argument);
        }
        let word = &self.word;
        let mut message = format!("`{word}` has no argument `{text}`");
        let foreign = foreign::keyed(self.signature.name, &text, value);
        match (foreign, nearest(&text, names())) {
            (Some(hint), _) => message += &format!("\n{hint}"),
            (None, Some(name)) => message += &format!("; did you mean `{name}`?"),
            (None, None) if self.signature.args.is_empty() => message += "; it takes none",
            (None, None) => {}
        }
        if !self.signature.args.is_empty() {
            let names: Vec<_> = names().collect();
            message += &format!("\nits arguments: {}", names.join(", "));
        }
        errors.push(key, message);
        None
    }

    /// Reports more arguments without a name than the word has.
    fn count(&mut self, without: &[Written<Value>], errors: &mut Errors) {
        let Some(first) = without.get(positional(self.signature).count()) else {
            return;
        };
        let (word, example) = (&self.word, self.signature.example);
        let message = match foreign::order(self.signature.name, without) {
            Some(message) => message,
            None if self.signature.args.is_empty() => {
                format!("`{word}` takes no arguments")
            }
            None => format!("an argument too many\nfor example `{example}`"),
        };
        errors.push(&first.tokens, message);
        // What is in the wrong order is no size.
        self.values.retain(|(name, _)| *name != "size");
    }

    fn insert(
        &mut self,
        argument: &'static Argument,
        key: Option<&Ident>,
        mut value: Written<Value>,
        errors: &mut Errors,
    ) {
        let name = argument.name;
        match (&value.value, argument.takes) {
            (
                Value::Odd(Odd::Negative),
                Takes::Decimal { range, .. } | Takes::Decimals { range, .. },
            ) => {
                if let Some(number) = negative(&value.tokens).filter(|it| range.contains(it)) {
                    value.value = Value::Decimal(number);
                }
            }
            (Value::Odd(Odd::Computed), Takes::Decimals { .. }) => {
                if let Some(inside) = list_of(&value.tokens) {
                    value.value = Value::List(inside);
                }
            }
            _ => {}
        }
        // What is no path is told where one is read.
        if let (Value::Odd(odd), false) = (&value.value, argument.takes == Takes::Item) {
            let message = odd.message(argument, &value.tokens);
            errors.push(value.tokens, message);
        } else if self.values.iter().any(|(known, _)| *known == name) {
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

/// `-1.5`.
pub(super) fn negative(tokens: &TokenStream) -> Option<f64> {
    tokens.to_string().replace([' ', '_'], "").parse().ok()
}

/// What stands in square brackets, if that is all.
fn list_of(tokens: &TokenStream) -> Option<TokenStream> {
    let group: Group = syn::parse2(tokens.clone()).ok()?;
    (group.delimiter() == Delimiter::Bracket).then(|| group.stream())
}

/// The arguments that may stand without their names.
fn positional(word: &'static Word) -> impl Iterator<Item = &'static Argument> + Clone {
    word.args.iter().take_while(|arg| arg.positional)
}

/// The arguments in their brackets, if there are any.
fn bracketed(
    input: ParseStream,
    signature: &Word,
    word: &Ident,
    errors: &mut Errors,
) -> Result<Vec<Option<Arg>>> {
    let content;
    let takes_some = !signature.args.is_empty();
    let example = signature.example;
    if input.peek(token::Paren) {
        let brackets = parenthesized!(content in input).span.join();
        if brackets
            .source_text()
            .is_some_and(|text| text.contains('×'))
        {
            let arguments = number::times_as_x(content.parse()?);
            return (|content: ParseStream| Ok(list(content, &ARGS, errors, arg)))
                .parse2(arguments);
        }
    } else if takes_some && (input.peek(token::Bracket) || input.peek(token::Brace)) {
        let group: Group = input.parse()?;
        let message = format!("arguments stand in round brackets: `{example}`");
        errors.absorb(syn::Error::new(group.span_open(), message));
        return (|content: ParseStream| Ok(list(content, &ARGS, errors, arg)))
            .parse2(group.stream());
    } else if takes_some
        && (input.peek(syn::Lit)
            || input.peek(Token![=])
            || input.peek(Token![:])
            || input.peek(Token![<]))
    {
        let message = format!("the arguments of `{word}` stand in brackets: `{example}`");
        errors.push(input.fork().parse::<TokenTree>()?, message);
        input.parse::<Option<Token![=]>>()?;
        input.parse::<Option<Token![:]>>()?;
        let arguments = upto_comma(input)?;
        let mut unsaid = Errors::default();
        return (|content: ParseStream| Ok(list(content, &ARGS, &mut unsaid, arg)))
            .parse2(arguments);
    } else {
        return Ok(Vec::new());
    }
    Ok(list(&content, &ARGS, errors, arg))
}

/// What there is before the next comma.
pub(super) fn upto_comma(input: ParseStream) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    Ok(tokens)
}
