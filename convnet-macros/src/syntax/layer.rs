//! One layer: its name, its word, its arguments, and the rules that need nothing but these.

use core::fmt;

use convnet_core::graph::{Op, WORDS};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Result, Token};

use super::args::{Args, upto_comma};
use super::number::Number;
use super::window::Window;
use super::{Mention, Written, foreign, read, words};
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

/// Whether the macro sees that it is.
impl PartialEq<f64> for Decimal {
    fn eq(&self, value: &f64) -> bool {
        matches!(self, Self::Known(known) if known == value)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Named(path) => path.to_string().replace(' ', "").fmt(f),
        }
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
    let read = read::read(signature, &mut args, errors);
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
        kind: read.kind,
        slides_right: read.slides_right && said && (bound == start || !read::slides(signature)),
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
