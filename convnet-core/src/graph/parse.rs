//! A layer out of the text of a declaration: the way back from [`Display`](core::fmt::Display).
//!
//! `convnet!` reads tokens and has a hint for what other libraries call things; this reads what `Op`
//! writes, and tools that have a layer as text.

use core::error::Error;
use core::fmt::{self, Display, Formatter};
use core::ops::RangeBounds;
use core::str::FromStr;

use super::{Arg, Decimals, Elsewhere, Nested, Op, Sees, Source, Takes, WORDS, Word};
use crate::layer::word::MOST_DECIMALS;
use crate::shape::{Fit, Padding, Window};

/// Why a text is no layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpError {
    /// No layer has that word.
    Word,
    /// It is declared elsewhere, and a text does not tell what it is.
    Elsewhere,
    /// The arguments do not stand in round brackets, with commas between them, those without a name
    /// first, none twice.
    Brackets,
    /// The layer has no argument of that name, or fewer that may stand without one.
    Unknown,
    /// This argument must be there.
    Missing(&'static str),
    /// This argument is something else: what it may be.
    Wrong(&'static str, &'static str),
}

impl Display for OpError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word => f.write_str("no layer has that word"),
            Self::Elsewhere => f.write_str("what is declared elsewhere is not known from its text"),
            Self::Brackets => f.write_str(
                "arguments stand in round brackets with commas between them, those without a name \
                 first, none twice",
            ),
            Self::Unknown => f.write_str("an argument that the layer does not have"),
            Self::Missing(name) => write!(f, "its {name} is missing"),
            Self::Wrong(name, form) => write!(f, "{name}: {form}"),
        }
    }
}

impl Error for OpError {}

/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::{Op, OpError};
///
/// let text = "conv(8, 3x5, stride = 2x1, pad = (0, 1), groups = 4, bias = none)";
/// let conv: Op = text.parse()?;
/// assert_eq!(conv.to_string(), text);
/// assert_eq!("leaky_relu".parse(), Ok(Op::LeakyRelu { slope: 0.01 }));
///
/// let wrong = "dropout(1.5)".parse::<Op>().unwrap_err();
/// assert_eq!(wrong.to_string(), "rate: a rate is a number from 0 to below 1, such as 0.5");
/// assert_eq!("conv(12)".parse::<Op>(), Err(OpError::Missing("size")));
/// # Ok::<(), OpError>(())
/// ```
impl FromStr for Op {
    type Err = OpError;

    fn from_str(text: &str) -> Result<Self, OpError> {
        let text = text.trim();
        let (name, args) = match text.split_once('(') {
            None => (text, ""),
            Some((name, rest)) => (name, rest.strip_suffix(')').ok_or(OpError::Brackets)?),
        };
        let found = WORDS.iter().find(|word| word.name == name.trim());
        let word = found.ok_or(OpError::Word)?;
        if matches!(word.sees, Sees::Anything | Sees::Inner) {
            return Err(OpError::Elsewhere);
        }
        known(word, args)?;
        let mut written = Args {
            word,
            text: args,
            error: None,
        };
        let op = Self::read(word, &mut written).ok_or(OpError::Word)?;
        match written.error {
            None => Ok(op),
            Some(error) => Err(error),
        }
    }
}

/// The arguments of a layer, as text.
struct Args<'a> {
    word: &'static Word,
    text: &'a str,
    /// The first that is wrong.
    error: Option<OpError>,
}

/// Pieces between commas that do not stand in brackets.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let pieces = text.split(move |c| {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    pieces.map(str::trim).filter(|piece| !piece.is_empty())
}

/// A piece, and the argument that it is for.
fn argument<'a>(word: &Word, at: usize, piece: &'a str) -> Option<(&'static Arg, &'a str)> {
    match piece.split_once('=') {
        Some((name, value)) => Some((word.arg(name.trim())?, value.trim())),
        None => Some((word.args.get(at).filter(|arg| arg.positional)?, piece)),
    }
}

/// Whether each argument is one of the word's, once.
fn known(word: &Word, text: &str) -> Result<(), OpError> {
    let mut named = false;
    for (at, piece) in pieces(text).enumerate() {
        let has_name = piece.contains('=');
        if named && !has_name {
            return Err(OpError::Brackets);
        }
        named = has_name;
        let (arg, _) = argument(word, at, piece).ok_or(OpError::Unknown)?;
        let before = pieces(text).take(at).enumerate();
        let mut before = before.filter_map(|(at, piece)| argument(word, at, piece));
        if before.any(|(other, _)| other.name == arg.name) {
            return Err(OpError::Brackets);
        }
    }
    Ok(())
}

impl<'a> Args<'a> {
    /// What was written for an argument.
    fn written(&self, name: &str) -> Option<&'a str> {
        let mut args = pieces(self.text).enumerate();
        args.find_map(|(at, piece)| {
            let (arg, value) = argument(self.word, at, piece)?;
            (arg.name == name).then_some(value)
        })
    }

    fn fail(&mut self, error: OpError) {
        self.error.get_or_insert(error);
    }

    /// The value that `read` makes of what was written, or what stands for nothing.
    fn value<V>(
        &mut self,
        arg: &Arg,
        default: Option<V>,
        harmless: V,
        read: impl FnOnce(&str) -> Option<V>,
    ) -> V {
        let value = match self.written(arg.name) {
            Some(text) => read(text).ok_or(OpError::Wrong(arg.name, arg.takes.form())),
            None => default.ok_or(OpError::Missing(arg.name)),
        };
        value.unwrap_or_else(|error| {
            self.fail(error);
            harmless
        })
    }
}

/// A whole number, at least 1.
fn count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count > 0)
}

fn decimal(text: &str, range: &impl RangeBounds<f64>) -> Option<f64> {
    text.parse().ok().filter(|value| range.contains(value))
}

/// `[0.485, 0.456]`, or one without brackets.
fn decimals(text: &str, range: &impl RangeBounds<f64>) -> Option<Decimals> {
    let Some(inside) = text.strip_prefix('[') else {
        return Some(Decimals::of([decimal(text, range)?]));
    };
    let inside = inside.strip_suffix(']')?;
    let number = |text: &str| decimal(text.trim(), range);
    let all = || inside.split(',').map(number);
    let count = all().count();
    let right = count <= MOST_DECIMALS && all().all(|it| it.is_some());
    let mut numbers = all();
    right.then(|| Decimals::first(count, |_| numbers.next().flatten().unwrap_or(0.0)))
}

/// `5x3`, width first: rows, columns.
fn pair(text: &str) -> Option<[usize; 2]> {
    let (across, down) = text.split_once('x')?;
    Some([count(down.trim())?, count(across.trim())?])
}

/// `2`, `2x1`.
fn step(text: &str) -> Option<[usize; 2]> {
    count(text).map(|step| [step; 2]).or_else(|| pair(text))
}

fn padding(text: &str) -> Option<Padding> {
    if text == "same" {
        return Some(Padding::Same);
    }
    if let Ok(zeros) = text.parse() {
        return Some(Padding::all(zeros));
    }
    let inside = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut sides = inside.split(',').map(|side| side.trim().parse().ok());
    let mut next = || sides.next().flatten();
    let (first, second) = (next()?, next()?);
    let Some(left) = next() else {
        return Some(Padding::pair(first, second));
    };
    let right = next()?;
    sides.next().is_none().then_some(Padding::Zeros {
        top: first,
        bottom: second,
        left,
        right,
    })
}

fn fit(text: &str) -> Option<Fit> {
    match text {
        "exact" => Some(Fit::Exact),
        "crop" => Some(Fit::Crop),
        "pad" => Some(Fit::Pad),
        _ => None,
    }
}

impl Source<usize, Window, f64, Elsewhere<'static>> for Args<'_> {
    fn count(&mut self, name: &'static str) -> usize {
        match self.word.arg(name) {
            Some(
                arg @ Arg {
                    takes: Takes::Count { default, .. },
                    ..
                },
            ) => self.value(arg, *default, 1, count),
            _ => 1,
        }
    }

    fn window(&mut self) -> Window {
        let mut window = Window::square(1, 1, 0);
        for arg in self.word.args {
            match arg.takes {
                Takes::Size => window.size = self.value(arg, None, [1; 2], pair),
                Takes::Stride(default) => {
                    let default = default.map_or(window.size, |stride| [stride; 2]);
                    window.stride = self.value(arg, Some(default), [1; 2], step);
                }
                Takes::Dilation => {
                    window.dilation = self.value(arg, Some([1; 2]), [1; 2], step);
                }
                Takes::Pad => {
                    let default = (!arg.positional).then_some(Padding::NONE);
                    window.padding = self.value(arg, default, Padding::NONE, padding);
                }
                Takes::Remainder => {
                    window.fit = self.value(arg, Some(Fit::Exact), Fit::Exact, fit);
                }
                Takes::Count { .. }
                | Takes::Decimal { .. }
                | Takes::Decimals { .. }
                | Takes::Unless(_)
                | Takes::Item
                | Takes::Shape => {}
            }
        }
        if self.word.arg("stride").is_none() {
            window.stride = window.size;
        }
        window
    }

    fn decimal(&mut self, name: &'static str) -> f64 {
        match self.word.arg(name) {
            Some(
                arg @ Arg {
                    takes: Takes::Decimal { default, range, .. },
                    ..
                },
            ) => self.value(arg, *default, 0.5, |text| decimal(text, range)),
            _ => 0.5,
        }
    }

    fn decimals(&mut self, name: &'static str) -> Decimals {
        let harmless = Decimals::of([0.5]);
        match self.word.arg(name) {
            Some(
                arg @ Arg {
                    takes: Takes::Decimals { range, .. },
                    ..
                },
            ) => self.value(arg, None, harmless, |text| decimals(text, range)),
            _ => harmless,
        }
    }

    fn elsewhere(&mut self, _: &'static str) -> Elsewhere<'static> {
        self.fail(OpError::Elsewhere);
        Elsewhere {
            path: "",
            nested: Nested::UNKNOWN,
            graph: &[],
        }
    }

    fn volume(&mut self, _: &'static str) -> [usize; 3] {
        self.fail(OpError::Elsewhere);
        [1; 3]
    }

    fn flag(&mut self, name: &'static str) -> bool {
        match self.word.arg(name) {
            Some(arg) => self.value(arg, Some(true), true, |text| {
                (text == "none").then_some(false)
            }),
            None => false,
        }
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// Each word's example, but for what is declared elsewhere, is itself when it is written again, or
    /// shorter by what says nothing.
    #[test]
    fn every_example_is_read() {
        for word in WORDS {
            match word.example.parse::<Op>() {
                Ok(op) => {
                    assert_eq!(op.word(), *word);
                    assert_eq!(op.to_string().parse(), Ok(op), "{op}");
                }
                Err(error) => {
                    let elsewhere = matches!(word.sees, Sees::Anything | Sees::Inner);
                    assert_eq!(
                        (error, elsewhere),
                        (OpError::Elsewhere, true),
                        "{}",
                        word.name
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_from_what_is_missing() {
        let error = |text: &str| text.parse::<Op>().expect_err(text);
        for (text, expected) in [
            ("transformer", OpError::Word),
            ("", OpError::Word),
            ("network(Stem)", OpError::Elsewhere),
            ("fc(10", OpError::Brackets),
            ("conv(4, 3x3, 2)", OpError::Unknown),
            ("conv(4, 3x3, strid = 2)", OpError::Unknown),
            ("conv(4, pad = 1, 3x3)", OpError::Brackets),
            ("conv(4, 3x3, pad = 1, pad = 2)", OpError::Brackets),
            ("conv(4, 3x3, filters = 2)", OpError::Brackets),
            ("relu(2)", OpError::Unknown),
            ("fc", OpError::Missing("filters")),
            ("max_pool()", OpError::Missing("size")),
            ("normalize(mean = 0.5)", OpError::Missing("std")),
            ("pad", OpError::Missing("pad")),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
        for (text, name) in [
            ("fc(0)", "filters"),
            ("fc(x)", "filters"),
            ("conv(4, 3)", "size"),
            ("conv(4, 0x3)", "size"),
            ("conv(4, 3x3, stride = 0)", "stride"),
            ("conv(4, 3x3, pad = (1, 2, 3))", "pad"),
            ("conv(4, 3x3, pad = (1, 2, 3, 4, 5))", "pad"),
            ("conv(4, 3x3, fit = floor)", "fit"),
            ("conv(4, 3x3, bias = false)", "bias"),
            ("lrn(5, alpha = 0)", "alpha"),
            ("batch_norm(eps = NaN)", "eps"),
            ("batch_norm(momentum = 0.0)", "momentum"),
            ("batch_norm(affine = true)", "affine"),
            ("normalize(mean = [], std = 1.0)", "mean"),
            ("normalize(mean = [0.5, x], std = 1.0)", "mean"),
            ("normalize(mean = 0.5, std = [1.0, 0.0])", "std"),
            ("normalize(mean = 0.5, std = [1.0, 1.0)", "std"),
        ] {
            assert!(
                matches!(error(text), OpError::Wrong(found, _) if found == name),
                "{text}"
            );
        }
    }

    #[test]
    fn a_pool_steps_as_far_as_it_is_large() {
        let op: Op = "max_pool( 3x2 )".parse().expect("a pool");
        let Op::MaxPool { window } = op else {
            panic!("{op}")
        };
        assert_eq!((window.size, window.stride), ([2, 3], [2, 3]));
    }
}
