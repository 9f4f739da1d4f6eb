//! One layer: its name, its word, its arguments, and the rules that need nothing but these.

use core::ops::{Bound, RangeBounds};

use convnet_core::graph::{Op, defaults};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Result, Token};

use super::args::{Args, upto_comma};
use super::foreign;
use super::number::{Number, Value};
use super::window::{self, Window};
use super::words::{self, WORDS, Word};
use super::{Mention, Written};
use crate::report::Errors;

/// `conv1: conv(12, 5x5, pad = 2)`.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// Its documentation.
    pub(crate) docs: TokenStream,
    /// The name the user gave it.
    pub(crate) name: Option<Ident>,
    /// Its word, as written, and the arguments that were named.
    pub(crate) mention: Mention,
    /// The word that this is, or was probably meant to be.
    pub(crate) canonical: &'static str,
    /// What it does.
    pub(crate) kind: Kind,
    /// Whether what decides the height and width of its output is right.
    pub(crate) slides_right: bool,
}

/// What a layer does, with its hyperparameters as they were written.
pub(crate) type Kind = Op<Written<Number>, Window, Decimal, TokenStream>;

/// A number between 0 and 1.
#[derive(Clone, Debug)]
pub(crate) enum Decimal {
    /// `0.5`.
    Known(f64),
    /// `RATE`, the name of an `f64` constant.
    Named(TokenStream),
}

impl Decimal {
    /// Whether the macro sees that it is `value`.
    pub(crate) fn is(&self, value: f64) -> bool {
        matches!(self, Self::Known(known) if *known == value)
    }
}

impl ToTokens for Decimal {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Known(value) => Literal::f64_unsuffixed(*value).to_tokens(tokens),
            Self::Named(path) => path.to_tokens(tokens),
        }
    }
}

/// ```text
/// layer  :=  [ NAME ":" ] word [ "(" [ arg ( "," arg )* ] ")" ]
/// ```
pub(super) fn layer(
    input: ParseStream,
    docs: TokenStream,
    name: Option<Ident>,
    errors: &mut Errors,
) -> Result<Layer> {
    let word: Ident = input
        .parse()
        .map_err(|error| syn::Error::new(error.span(), "expected a layer, such as `relu`"))?;
    not_optional(input)?;
    let text = word.to_string();
    let start = errors.count();
    let (signature, said) = match words::find(&text) {
        Some(signature) => (Some(signature), true),
        None => {
            let hint = foreign::word(&text);
            let meant = hint.map_or_else(|| words::meant(&text), |_| Vec::new());
            errors.push(&word, unknown(&text, &meant, hint));
            (meant.first().and_then(|name| words::find(name)), false)
        }
    };
    let Some(signature) = signature else {
        skip_arguments(input)?;
        skip_rest(input)?;
        return Ok(stub(docs, name, word));
    };
    // What is wrong with the arguments of a word that is itself wrong may be right for the right
    // one.
    let mut unsaid = Errors::default();
    let errors = if said { errors } else { &mut unsaid };
    let mut args = Args::parse(input, &word, signature, errors)?;
    let bound = errors.count();
    let (kind, slides_right) = (signature.read)(&mut args, errors);
    let right = said && errors.count() == start;
    if !said {
        skip_rest(input)?;
    }
    Ok(Layer {
        mention: Mention {
            word,
            keys: args.keys,
            right,
        },
        docs,
        name,
        canonical: signature.name,
        kind,
        slides_right: slides_right && said && (bound == start || !signature.slides()),
    })
}

/// CS231n's patterns have layers that may be left out, `POOL?`; a declaration does not.
fn not_optional(input: ParseStream) -> Result<()> {
    let ahead = input.fork();
    skip_arguments(&ahead)?;
    if !ahead.peek(Token![?]) {
        return Ok(());
    }
    let message = "`?` stands for a layer that may be left out: a declaration has it or not\n\
                   write the layer, or remove it";
    Err(ahead.error(message))
}

fn unknown(text: &str, meant: &[&str], hint: Option<&str>) -> String {
    let mut message = format!("`{text}` is not a layer");
    if let Some(hint) = hint {
        return format!("{message}\n{hint}");
    }
    if !meant.is_empty() {
        let meant: Vec<_> = meant.iter().map(|word| format!("`{word}`")).collect();
        message += &format!("; did you mean {}?", meant.join(" or "));
    }
    let names: Vec<_> = WORDS.iter().map(|word| word.name).collect();
    message + &format!("\nthe layers: {}", names.join(", "))
}

fn skip_arguments(input: ParseStream) -> Result<()> {
    if input.peek(syn::token::Paren) {
        input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}

/// What follows a word that is none, unless only a comma is missing: `conv3-64`, `model.add(…)`.
fn skip_rest(input: ParseStream) -> Result<()> {
    let goes_on = input.peek(Token![.])
        || input.peek(Token![-])
        || input.peek(Token![:])
        || input.peek(syn::Lit)
        || input.peek(syn::token::Brace);
    if goes_on && !input.peek(Token![->]) {
        upto_comma(input)?;
    }
    Ok(())
}

/// What stands for a layer that nobody knows.
pub(super) fn stub(docs: TokenStream, name: Option<Ident>, word: Ident) -> Layer {
    Layer {
        mention: Mention {
            word,
            keys: Vec::new(),
            right: false,
        },
        docs,
        name,
        canonical: "unknown",
        kind: Kind::Flatten,
        slides_right: false,
    }
}

impl Layer {
    /// One that nobody wrote: it makes scores of whatever comes before.
    pub(crate) fn nothing() -> Self {
        let word = Ident::new("global_avg_pool", Span::mixed_site());
        Self {
            canonical: "global_avg_pool",
            kind: Kind::GlobalAvgPool,
            ..stub(TokenStream::new(), None, word)
        }
    }
}

impl Word {
    /// Whether its output's height and width depend on its arguments.
    fn slides(&self) -> bool {
        self.keyed.contains(&"stride")
    }
}

pub(super) fn conv(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    if let Some(tokens) = args.size_instead_of_filters() {
        errors.push(
            tokens,
            "the number of filters comes first, then their size: `conv(12, 5x5)`",
        );
        return (
            Kind::Conv {
                filters: one(),
                groups: one(),
                bias: true,
                window: Window::one(),
            },
            false,
        );
    }
    let filters = filters(args, errors);
    let groups = groups(args, errors);
    let bias = bias(args, errors);
    let before = errors.count();
    let window = window::window(args, [1, 1], errors);
    let kind = Kind::Conv {
        filters,
        groups,
        bias,
        window,
    };
    (kind, errors.count() == before)
}

pub(super) fn conv_transpose(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let filters = match args.size_instead_of_filters() {
        Some(tokens) => {
            let message = "the number of filters comes first, then their size";
            errors.push(tokens, message);
            one()
        }
        None => filters(args, errors),
    };
    let before = errors.count();
    let window = window::window(args, [1, 1], errors);
    (
        Kind::ConvTranspose { filters, window },
        errors.count() == before,
    )
}

/// `batch_norm(eps = 1e-5)`: between 0 and 1.
pub(super) fn batch_norm(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let value = args.take("eps");
    let fallback = (
        defaults::EPS,
        "eps is a number between 0 and 1, such as 1e-5",
    );
    let allowed = (Bound::Excluded(0.0), Bound::Excluded(1.0));
    let eps = decimal(value, allowed, fallback, errors);
    (Kind::BatchNorm { eps }, true)
}

/// `lrn(5, alpha = 1e-4, beta = 0.75, k = 1.0)`.
pub(super) fn lrn(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let size = args
        .need("size", errors)
        .and_then(|value| args.number("size", value, errors));
    let size = match size {
        Some(Written {
            value: Number::Known(0),
            tokens,
        }) => {
            errors.push(
                tokens,
                "0 neighbours are nobody: a slice sees itself at least",
            );
            one()
        }
        Some(size) => size,
        None => one(),
    };
    let mut positive = |name: &str, fallback, message| {
        let value = args.take(name);
        let allowed = (Bound::Excluded(0.0), Bound::Unbounded);
        decimal(value, allowed, (fallback, message), errors)
    };
    let kind = Kind::Lrn {
        size,
        alpha: positive(
            "alpha",
            defaults::ALPHA,
            "alpha is a number above 0, such as 1e-4",
        ),
        beta: positive(
            "beta",
            defaults::BETA,
            "beta is a number above 0, such as 0.75",
        ),
        k: positive("k", defaults::K, "k is a number above 0, such as 1.0"),
    };
    (kind, true)
}

pub(super) fn depthwise(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let bias = bias(args, errors);
    let before = errors.count();
    let window = window::window(args, [1, 1], errors);
    (Kind::Depthwise { bias, window }, errors.count() == before)
}

pub(super) fn max_pool(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    pool(|window| Kind::MaxPool { window }, args, errors)
}

pub(super) fn avg_pool(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    pool(|window| Kind::AvgPool { window }, args, errors)
}

fn pool(kind: fn(Window) -> Kind, args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let before = errors.count();
    let window = window::window(args, None, errors);
    (kind(window), errors.count() == before)
}

/// `fc(10)`.
pub(super) fn fc(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let filters = filters(args, errors);
    (Kind::Fc { filters }, true)
}

/// `conv(12, …)`, `fc(10)`: one at least.
fn filters(args: &mut Args, errors: &mut Errors) -> Written<Number> {
    let filters = args
        .need("filters", errors)
        .and_then(|value| args.number("filters", value, errors));
    match filters {
        Some(Written {
            value: Number::Known(0),
            tokens,
        }) => {
            errors.push(tokens, "0 filters write no output: at least 1");
            one()
        }
        Some(filters) => filters,
        None => one(),
    }
}

/// `groups = 2`: one at least; 1 unless said otherwise.
fn groups(args: &mut Args, errors: &mut Errors) -> Written<Number> {
    let Some(value) = args.take("groups") else {
        return one();
    };
    match args.number("groups", value, errors) {
        Some(Written {
            value: Number::Known(0),
            tokens,
        }) => {
            errors.push(tokens, "0 groups leave no filters: 1 is an ordinary conv");
            one()
        }
        Some(groups) => groups,
        None => one(),
    }
}

/// `bias = none`: whether there is one.
fn bias(args: &mut Args, errors: &mut Errors) -> bool {
    let Some(Written { value, tokens }) = args.take("bias") else {
        return true;
    };
    if value.word().is_none_or(|word| word != "none") {
        let message = "every filter learns a bias unless it is told not to: `bias = none`";
        errors.push(tokens, message);
    }
    false
}

/// `dropout(0.5)`: from 0 to below 1.
pub(super) fn dropout(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let value = args.need("rate", errors);
    let fallback = (0.5, "a rate is a number from 0 to below 1, such as 0.5");
    let rate = decimal(value, 0.0..1.0, fallback, errors);
    (Kind::Dropout { rate }, true)
}

/// `leaky_relu(0.01)`: between 0 and 1; 0.01 unless said otherwise.
pub(super) fn leaky_relu(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let value = args.take("slope");
    let fallback = (
        defaults::SLOPE,
        "a slope is a number between 0 and 1, such as 0.01",
    );
    let allowed = (Bound::Excluded(0.0), Bound::Excluded(1.0));
    let slope = decimal(value, allowed, fallback, errors);
    (Kind::LeakyRelu { slope }, true)
}

fn decimal(
    value: Option<Written<Value>>,
    allowed: impl RangeBounds<f64>,
    (fallback, message): (f64, &str),
    errors: &mut Errors,
) -> Decimal {
    let Some(Written { value, tokens }) = value else {
        return Decimal::Known(fallback);
    };
    let number = match value {
        Value::Decimal(value) => Some(value),
        Value::Numbers(numbers) => match numbers.as_slice() {
            [Number::Known(0)] => Some(0.0),
            [Number::Named(path)] if numbers[0].word().is_none() => {
                return Decimal::Named(path.clone());
            }
            _ => None,
        },
        Value::Tuple(_) | Value::Type(_) | Value::Odd(_) => None,
    };
    if let Some(value) = number.filter(|value| allowed.contains(value)) {
        return Decimal::Known(value);
    }
    errors.push(tokens, message);
    Decimal::Known(fallback)
}

fn one() -> Written<Number> {
    Written::unwritten(Number::Known(1))
}
