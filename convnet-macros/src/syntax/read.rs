//! The arguments of a layer, as its word says that they are: [`Word::args`].

use core::ops::RangeBounds;

use convnet_core::graph::{Decimals, Sees, Source, Takes, Word};
use proc_macro2::TokenStream;
use syn::Token;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;

use super::Written;
use super::args::{Args, negative};
use super::layer::{Decimal, Kind};
use super::number::{self, Number, Value};
use super::odd::Odd;
use super::window::{self, Window};
use crate::report::Errors;

/// What was read.
pub(super) struct Read {
    /// The layer; what is wrong is replaced by something harmless.
    pub(super) kind: Kind,
    /// Whether everything that decides the height and width of its output is right.
    pub(super) slides_right: bool,
}

/// Reads the arguments of a layer.
pub(super) fn read(word: &'static Word, args: &mut Args, errors: &mut Errors) -> Read {
    let mut reader = Reader {
        word,
        args,
        errors,
        slides_right: true,
        swapped: false,
        learns: false,
        lost: false,
    };
    reader.size_comes_second();
    let kind = Kind::read(word, &mut reader);
    match kind {
        Some(kind) if !reader.lost => Read {
            kind,
            slides_right: reader.slides_right,
        },
        _ => Read {
            kind: Kind::Flatten,
            slides_right: false,
        },
    }
}

/// Whether the height and width of what a layer writes depend on its arguments.
pub(super) fn slides(word: &Word) -> bool {
    matches!(
        word.sees,
        Sees::Slides | Sees::Pools | Sees::Stamps | Sees::Padded | Sees::Between
    )
}

struct Reader<'a> {
    word: &'static Word,
    args: &'a mut Args,
    errors: &'a mut Errors,
    slides_right: bool,
    /// Whether the size stands where the number of filters should: then the rest is not looked at.
    swapped: bool,
    /// Whether what was named is a type.
    learns: bool,
    /// Whether nobody knows what was named, or what it writes.
    lost: bool,
}

impl Reader<'_> {
    /// `conv(5x5, 12)`, `conv(5x5)`.
    fn size_comes_second(&mut self) {
        if let (Some(Takes::Size), Some(tokens)) =
            (self.takes("size"), self.args.size_instead_of_filters())
        {
            let example = self.word.example;
            let message =
                format!("the number of filters comes first, then their size: `{example}`");
            self.errors.push(tokens, message);
            (self.swapped, self.slides_right) = (true, false);
        }
    }

    fn takes(&self, name: &str) -> Option<Takes> {
        self.word.arg(name).map(|arg| arg.takes)
    }
}

impl Source<Written<Number>, Window, Decimal, TokenStream> for Reader<'_> {
    fn count(&mut self, name: &'static str) -> Written<Number> {
        let one = || Written::unwritten(Number::Known(1));
        let Some(Takes::Count { default, zero, .. }) = self.takes(name) else {
            return one();
        };
        if self.swapped {
            return one();
        }
        let value = match default {
            Some(_) => self.args.take(name),
            None => self.args.need(name, self.errors),
        };
        let Some(value) = value else {
            return Written::unwritten(Number::Known(default.unwrap_or(1)));
        };
        match self.args.number(name, value, self.errors) {
            Some(Written {
                value: Number::Known(0),
                tokens,
            }) => {
                self.errors.push(tokens, zero);
                one()
            }
            Some(number) => number,
            None => one(),
        }
    }

    fn window(&mut self) -> Window {
        if self.swapped {
            return Window::one();
        }
        let before = self.errors.count();
        let stride = match self.takes("stride") {
            Some(Takes::Stride(stride)) => stride,
            _ => None,
        };
        let window = window::window(self.args, stride.map(|stride| [stride; 2]), self.errors);
        self.slides_right &= self.errors.count() == before;
        window
    }

    fn decimal(&mut self, name: &'static str) -> Decimal {
        let Some(Takes::Decimal {
            default,
            range,
            form,
        }) = self.takes(name)
        else {
            return Decimal::Known(0.5);
        };
        let value = match default {
            Some(_) => self.args.take(name),
            None => self.args.need(name, self.errors),
        };
        // In every range.
        let harmless = Decimal::Known(default.unwrap_or(0.5));
        let Some(value) = value else {
            return harmless;
        };
        decimal(&value, &range).unwrap_or_else(|| {
            self.errors.push(value.tokens, form);
            harmless
        })
    }

    fn decimals(&mut self, name: &'static str) -> Decimals<Decimal> {
        let harmless = || Decimals::of([0.5]).map(|it| Decimal::Known(*it));
        let Some(Takes::Decimals { range, form }) = self.takes(name) else {
            return harmless();
        };
        let Some(Written { value, tokens }) = self.args.need(name, self.errors) else {
            return harmless();
        };
        let written = match value {
            Value::List(inside) => {
                let list = Punctuated::<_, Token![,]>::parse_terminated_with;
                let values = (|input: ParseStream| list(input, number::value)).parse2(inside);
                values.map_or_else(|_| Vec::new(), |values| values.into_iter().collect())
            }
            value => vec![Written {
                value,
                tokens: tokens.clone(),
            }],
        };
        let mut decimals = Vec::new();
        for value in &written {
            match decimal(value, &range) {
                Some(decimal) => decimals.push(decimal),
                None => self.errors.push(&value.tokens, form),
            }
        }
        let count = decimals.len();
        if count != written.len() {
            return harmless();
        }
        let list = Decimals::first(count, |at| {
            decimals.get(at).cloned().unwrap_or(Decimal::Known(0.5))
        });
        if list.as_slice().len() != count {
            self.errors.push(tokens, form);
        }
        list
    }

    fn elsewhere(&mut self, name: &'static str) -> TokenStream {
        let is_network = self.word.sees == Sees::Inner;
        let named = self.args.need(name, self.errors).and_then(|named| {
            let Written { value, tokens } = named;
            let path = match value {
                Value::Type(path) if !is_network => {
                    self.learns = true;
                    Some(path)
                }
                value => value.path(),
            };
            if path.is_none() {
                let message = if is_network {
                    NOT_A_NETWORK
                } else {
                    NOT_A_LAYER
                };
                self.errors.push(tokens, message);
            }
            path
        });
        self.lost |= named.is_none();
        named.unwrap_or_default()
    }

    fn volume(&mut self, name: &'static str) -> [Written<Number>; 3] {
        let volume = self.args.need(name, self.errors);
        let volume = volume.and_then(|volume| number::volume(volume, self.errors));
        self.lost |= volume.is_none();
        let volume = volume.unwrap_or([const { Number::Known(1) }; 3]);
        volume.map(Written::unwritten)
    }

    fn flag(&mut self, name: &'static str) -> bool {
        match self.takes(name) {
            Some(Takes::Unless(form)) if !self.swapped => {
                let Some(Written { value, tokens }) = self.args.take(name) else {
                    return true;
                };
                if value.word().is_none_or(|word| word != "none") {
                    self.errors.push(tokens, form);
                }
                false
            }
            Some(_) => true,
            None => self.learns,
        }
    }
}

/// A decimal of a range, or the name of one.
fn decimal(
    Written { value, tokens }: &Written<Value>,
    range: &impl RangeBounds<f64>,
) -> Option<Decimal> {
    let number = match value {
        Value::Decimal(value) => Some(*value),
        Value::Odd(Odd::Negative) => negative(tokens),
        Value::Numbers(numbers) => match numbers.as_slice() {
            [Number::Known(0)] => Some(0.0),
            [Number::Named(path)] if numbers[0].word().is_none() => {
                return Some(Decimal::Named(path.clone()));
            }
            _ => None,
        },
        Value::List(_) | Value::Tuple(_) | Value::Type(_) | Value::Odd(_) => None,
    };
    number.filter(|it| range.contains(it)).map(Decimal::Known)
}

const NOT_A_LAYER: &str =
    "a layer written by hand is named by its path: a unit struct or a `const`; or a type with parameters
for example `layer(path::To::SHIFT, 32x32x12)`, `layer(path::To::Scale<T>, 32x32x12)`";
const NOT_A_NETWORK: &str =
    "a network is named by the path of its struct, without `<…>`: it takes over the scalar
for example `network(path::To::Stem)`";
