//! The words of a declaration and what each takes.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Result};

use super::Number;
use super::args::{Arguments, nearest};
use super::number::dimensions;

/// A layer and its arguments.
#[derive(Clone)]
pub(crate) enum Kind {
    Conv { filters: Number, window: Window },
    MaxPool(Window),
    AvgPool(Window),
    GlobalAvgPool,
    Fc { filters: Number },
    Relu,
    LeakyRelu { slope: f64 },
    Sigmoid,
    Tanh,
    Softmax,
    Dropout { rate: f64 },
    Flatten,
}

/// Rows and columns; the declaration has the columns first.
#[derive(Clone)]
pub(crate) struct Size {
    pub(crate) rows: Number,
    pub(crate) columns: Number,
}

/// Underlines what was written: one token for `5x5`.
impl ToTokens for Size {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.columns.to_tokens(tokens);
        self.rows.to_tokens(tokens);
    }
}

/// How a filter slides.
#[derive(Clone)]
pub(crate) struct Window {
    pub(crate) size: Size,
    /// `None`: 1 for a conv, the window's size for a pool.
    pub(crate) stride: Option<Size>,
    pub(crate) pad: Pad,
    pub(crate) fit: Fit,
}

#[derive(Clone)]
pub(crate) enum Pad {
    /// Not written: 0.
    None,
    Same(Ident),
    /// Top, bottom, left, right.
    Zeros([Number; 4]),
}

/// Underlines what was written.
impl ToTokens for Pad {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::None => {}
            Self::Same(same) => tokens.append(same.clone()),
            Self::Zeros(sides) => sides.iter().for_each(|side| side.to_tokens(tokens)),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Fit {
    Exact,
    Crop,
    Pad,
}

/// Every word but `input`, in the order of the documentation.
const WORDS: [&str; 12] = [
    "conv", "relu", "leaky_relu", "sigmoid", "tanh", "max_pool", "avg_pool", "global_avg_pool",
    "fc", "dropout", "softmax", "flatten",
];

/// What else people call them; CS231n's POOL is a max pool unless it says otherwise.
const ALIASES: [(&str, &str); 12] = [
    ("pool", "max_pool"), ("maxpool", "max_pool"), ("avgpool", "avg_pool"),
    ("average_pool", "avg_pool"), ("conv2d", "conv"), ("convolution", "conv"), ("dense", "fc"),
    ("linear", "fc"), ("fully_connected", "fc"), ("gap", "global_avg_pool"),
    ("global_average_pool", "global_avg_pool"), ("affine", "fc"),
];

/// The volume of `input(32x32x3)`: width, height, depth.
pub(super) fn volume(word: &Ident, tokens: TokenStream) -> Result<[Number; 3]> {
    let example = "input(32x32x3)";
    let mut arguments = Arguments::new(word, &["volume"], 1, tokens)?;
    arguments.need("volume", example, |input| {
        let span = input.span();
        let [width, height, depth] = exactly(dimensions(input)?, span, "width x height x depth", example)?;
        for number in [&width, &height, &depth] {
            if number.known() == Some(0) {
                return Err(Error::new(number.span, "the input holds nothing: width, height and depth are at least 1"));
            }
        }
        Ok([width, height, depth])
    })
}

/// The layer that `word` names, and the arguments that were named.
pub(super) fn parse(word: &Ident, tokens: TokenStream) -> Result<(Kind, Vec<Ident>)> {
    const WINDOW: &[&str] = &["size", "stride", "pad", "fit"];
    let text = word.to_string();
    let (takes, unnamed): (&'static [&'static str], usize) = match text.as_str() {
        "conv" => (&["filters", "size", "stride", "pad", "fit"], 2),
        "max_pool" | "avg_pool" => (WINDOW, 1),
        "fc" => (&["filters"], 1),
        "leaky_relu" => (&["slope"], 1),
        "dropout" => (&["rate"], 1),
        known if WORDS.contains(&known) => (&[], 0),
        _ => return Err(unknown(word, &text)),
    };
    let mut arguments = Arguments::new(word, takes, unnamed, tokens)?;
    let kind = match text.as_str() {
        "conv" => Kind::Conv {
            filters: arguments.need("filters", "conv(12, 5x5)", filters)?,
            window: window(&mut arguments, "conv(12, 5x5)")?,
        },
        "max_pool" => Kind::MaxPool(window(&mut arguments, "max_pool(2x2, stride = 2)")?),
        "avg_pool" => Kind::AvgPool(window(&mut arguments, "avg_pool(2x2, stride = 2)")?),
        "global_avg_pool" => Kind::GlobalAvgPool,
        "fc" => Kind::Fc { filters: arguments.need("filters", "fc(10)", filters)? },
        "relu" => Kind::Relu,
        "leaky_relu" => Kind::LeakyRelu { slope: arguments.take("slope", slope)?.unwrap_or(0.01) },
        "sigmoid" => Kind::Sigmoid,
        "tanh" => Kind::Tanh,
        "softmax" => Kind::Softmax,
        "dropout" => Kind::Dropout { rate: arguments.need("rate", "dropout(0.5)", rate)? },
        _ => Kind::Flatten,
    };
    Ok((kind, arguments.keys))
}

fn unknown(word: &Ident, text: &str) -> Error {
    let lower = text.to_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, word)| *word);
    let near = alias.or_else(|| nearest(&lower, WORDS.into_iter()));
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Error::new_spanned(word, format!("there is no layer `{text}`{hint}\nthe layers are {}", WORDS.join(", ")))
}

fn window(arguments: &mut Arguments, example: &str) -> Result<Window> {
    Ok(Window {
        size: arguments.need("size", example, |input| {
            let span = input.span();
            let [columns, rows] = exactly(dimensions(input)?, span, "width x height", example)?;
            not_zero(&columns, "a filter of 0 sees nothing: its width is at least 1")?;
            not_zero(&rows, "a filter of 0 sees nothing: its height is at least 1")?;
            Ok(Size { rows, columns })
        })?,
        stride: arguments.take("stride", stride)?,
        pad: arguments.take("pad", pad)?.unwrap_or(Pad::None),
        fit: arguments.take("fit", fit)?.unwrap_or(Fit::Exact),
    })
}

fn filters(input: ParseStream<'_>) -> Result<Number> {
    let span = input.span();
    let [filters] = exactly(dimensions(input)?, span, "one number", "12")?;
    not_zero(&filters, "no filters: a layer has at least 1, one for each depth slice of its output")?;
    Ok(filters)
}

/// `2` for both axes, or `2x1`.
fn stride(input: ParseStream<'_>) -> Result<Size> {
    let span = input.span();
    let numbers = dimensions(input)?;
    for number in &numbers {
        not_zero(number, "a stride of 0 never gets anywhere: it is at least 1")?;
    }
    match <[Number; 1]>::try_from(numbers) {
        Ok([both]) => Ok(Size { rows: both.clone(), columns: both }),
        Err(numbers) => {
            let [columns, rows] = exactly(numbers, span, "one number, or width x height", "2")?;
            Ok(Size { rows, columns })
        }
    }
}

/// `same`, `2`, `(before, after)` or `(top, bottom, left, right)`.
fn pad(input: ParseStream<'_>) -> Result<Pad> {
    let form = "padding is `2`, `same`, `(before, after)` or `(top, bottom, left, right)`";
    if input.peek(syn::token::Paren) {
        let group: TokenTree = input.parse()?;
        let TokenTree::Group(sides) = &group else {
            return Err(Error::new_spanned(group, form));
        };
        let sides = super::split_at_commas(sides.stream()).into_iter();
        let sides: Vec<Number> = sides.map(|side| one.parse2(side)).collect::<Result<_>>()?;
        return match sides.as_slice() {
            [before, after] => Ok(Pad::Zeros([before, after, before, after].map(Clone::clone))),
            [top, bottom, left, right] => Ok(Pad::Zeros([top, bottom, left, right].map(Clone::clone))),
            _ => Err(Error::new_spanned(group, form)),
        };
    }
    if let Some((word, _)) = input.cursor().ident().filter(|(word, _)| word == "same") {
        input.parse::<Ident>()?;
        return Ok(Pad::Same(word));
    }
    let [both] = exactly(dimensions(input)?, input.span(), "one number", form)?;
    Ok(Pad::Zeros([(); 4].map(|()| both.clone())))
}

fn one(input: ParseStream<'_>) -> Result<Number> {
    let span = input.span();
    let [number] = exactly(dimensions(input)?, span, "one number", "1")?;
    Ok(number)
}

fn fit(input: ParseStream<'_>) -> Result<Fit> {
    let word: Ident = input.parse()?;
    match word.to_string().as_str() {
        "exact" => Ok(Fit::Exact),
        "crop" => Ok(Fit::Crop),
        "pad" => Ok(Fit::Pad),
        _ => Err(Error::new_spanned(
            word,
            "`fit` is `exact` (what is left over is an error), `crop` (it is dropped) or `pad` (zeros are added)",
        )),
    }
}

fn rate(input: ParseStream<'_>) -> Result<f64> {
    let (rate, token) = float(input)?;
    if (0.0..1.0).contains(&rate) {
        return Ok(rate);
    }
    Err(Error::new_spanned(token, format!("a rate of {rate} is no probability: it is at least 0 and below 1")))
}

fn slope(input: ParseStream<'_>) -> Result<f64> {
    let (slope, token) = float(input)?;
    if slope > 0.0 && slope.is_finite() {
        return Ok(slope);
    }
    Err(Error::new_spanned(token, format!("a slope of {slope} is not positive: for zero, write `relu`")))
}

fn float(input: ParseStream<'_>) -> Result<(f64, syn::Lit)> {
    let literal: syn::Lit = input.parse()?;
    let value = match &literal {
        syn::Lit::Float(float) => float.base10_parse().ok(),
        syn::Lit::Int(int) => int.base10_parse().ok(),
        _ => None,
    };
    match value {
        Some(value) => Ok((value, literal)),
        None => Err(Error::new_spanned(literal, "expected a number, such as 0.5")),
    }
}

fn not_zero(number: &Number, message: &str) -> Result<()> {
    match number.known() {
        Some(0) => Err(Error::new(number.span, message)),
        _ => Ok(()),
    }
}

fn exactly<const N: usize>(numbers: Vec<Number>, span: Span, form: &str, example: &str) -> Result<[Number; N]> {
    <[Number; N]>::try_from(numbers).map_err(|numbers| {
        let span = numbers.first().map_or(span, |number| number.span);
        let count = numbers.len();
        Error::new(span, format!("{count} numbers where {N} belong: {form}, as in `{example}`").replace("1 numbers", "1 number"))
    })
}
