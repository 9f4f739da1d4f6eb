//! How a filter slides: `5x5, stride = 2, pad = (1, 2), fit = crop, dilation = 2`.

use convnet_core::shape::Fit;

use super::Written;
use super::args::Args;
use super::number::{Number, Value};
use crate::report::Errors;

/// The numbers of a window; `[rows, columns]`.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// F.
    pub(crate) size: Written<[Number; 2]>,
    /// D.
    pub(crate) dilation: Written<[Number; 2]>,
    /// S.
    pub(crate) stride: Written<[Number; 2]>,
    /// P.
    pub(crate) pad: Written<Pad>,
    /// What happens to a remainder.
    pub(crate) fit: Written<Fit>,
}

/// Zeros around the input.
#[derive(Clone, Debug)]
pub(crate) enum Pad {
    /// Top, bottom, left, right.
    Zeros([Number; 4]),
    /// As many as keep the size.
    Same,
}

impl Window {
    /// All of them.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &Number> {
        let sides: &[Number] = match &self.pad.value {
            Pad::Same => &[],
            Pad::Zeros(sides) => sides,
        };
        let pairs = [&self.size.value, &self.dilation.value, &self.stride.value];
        pairs.into_iter().flatten().chain(sides)
    }

    /// What stands for a window that is wrong: it fits everything and changes nothing.
    pub(super) fn one() -> Self {
        Self {
            size: Written::unwritten([Number::Known(1), Number::Known(1)]),
            dilation: Written::unwritten([Number::Known(1), Number::Known(1)]),
            stride: Written::unwritten([Number::Known(1), Number::Known(1)]),
            pad: Written::unwritten(Pad::NONE),
            fit: Written::unwritten(Fit::Crop),
        }
    }
}

impl Pad {
    const NONE: Self = Self::Zeros([const { Number::Known(0) }; 4]);
}

/// `size`, `dilation`, `stride`, `pad` and `fit`. Where no stride is written it is `stride`, or else the size:
/// pools do not overlap unless one says so.
pub(super) fn window(
    args: &mut Args,
    stride: impl Into<Option<[usize; 2]>>,
    errors: &mut Errors,
) -> Window {
    let size = match args.has("size") {
        true => args
            .need("size", errors)
            .and_then(|value| size(value, errors)),
        false => Some(Written::unwritten([1, 1].map(Number::Known))),
    };
    let dilation = args.take("dilation").map_or(
        Some(Written::unwritten([1, 1].map(Number::Known))),
        |value| step(value, DILATION, errors),
    );
    let stride = match (args.take("stride"), stride.into()) {
        (Some(value), _) => step(value, STRIDE, errors),
        (None, Some(stride)) => Some(Written::unwritten(stride.map(Number::Known))),
        (None, None) => size
            .as_ref()
            .map(|size| Written::unwritten(size.value.clone())),
    };
    let zeros = match args.must_have("pad") {
        true => args.need("pad", errors),
        false => args.take("pad"),
    };
    let pad = zeros.map_or(Some(Written::unwritten(Pad::NONE)), |value| {
        pad(value, errors)
    });
    let fit = args
        .take("fit")
        .map_or(Some(Written::unwritten(Fit::Exact)), |value| {
            fit(value, errors)
        });
    match (size, dilation, stride, pad, fit) {
        (Some(size), Some(dilation), Some(stride), Some(pad), Some(fit)) => Window {
            size,
            dilation,
            stride,
            pad,
            fit,
        },
        _ => Window::one(),
    }
}

/// `5x5`, `5x3` (width first).
fn size(value: Written<Value>, errors: &mut Errors) -> Option<Written<[Number; 2]>> {
    let Written { value, tokens } = value;
    match value {
        Value::Numbers(numbers) => match <[Number; 2]>::try_from(numbers) {
            Ok([Number::Known(0), _] | [_, Number::Known(0)]) => {
                errors.push(tokens, "a filter of size 0 sees nothing: at least 1x1");
            }
            Ok([width, height]) => {
                return Some(Written {
                    value: [height, width],
                    tokens,
                });
            }
            Err(numbers) => errors.push(&tokens, dimensions(&tokens, &numbers)),
        },
        Value::Tuple(numbers) if numbers.len() == 2 => {
            let [height, width] = [&numbers[0], &numbers[1]];
            errors.push(
                tokens,
                format!("a size is a width and a height\nwrite `{width}x{height}`"),
            );
        }
        _ => {
            errors.push(tokens, "a size is a width and a height: `5x5`");
        }
    }
    None
}

fn dimensions(tokens: &proc_macro2::TokenStream, numbers: &[Number]) -> String {
    match numbers {
        [one] => format!("a filter has a width and a height\nwrite `{one}x{one}`"),
        [width, height, ..] => {
            let (found, depth) = (numbers.len(), "its depth is that of its input");
            format!(
                "{tokens} has {found} dimensions, a filter two: {depth}\nwrite `{width}x{height}`"
            )
        }
        [] => "a size is a width and a height: `5x5`".into(),
    }
}

/// What is said of a step of 0, and of what is no step.
const STRIDE: [&str; 2] = [
    "a stride of 0 never arrives: at least 1",
    "a stride is a number, `2`, or one across and one down, `2x1`",
];
const DILATION: [&str; 2] = [
    "a dilation of 0 leaves one pixel to see: 1 is none",
    "a dilation is a number, `2`, or one across and one down, `2x1`",
];

/// `2`, `2x1` (width first).
fn step(
    value: Written<Value>,
    [zero, none]: [&str; 2],
    errors: &mut Errors,
) -> Option<Written<[Number; 2]>> {
    let Written { value, tokens } = value;
    let step = match value {
        Value::Numbers(numbers) => match numbers.as_slice() {
            [one] if one.word().is_none() => Some([one.clone(), one.clone()]),
            [width, height] => Some([height.clone(), width.clone()]),
            _ => None,
        },
        _ => None,
    };
    match step {
        Some([Number::Known(0), _] | [_, Number::Known(0)]) => errors.push(tokens, zero),
        Some(value) => return Some(Written { value, tokens }),
        None => errors.push(tokens, none),
    }
    None
}

/// `2`, `same`, `(before, after)`, `(top, bottom, left, right)`.
fn pad(value: Written<Value>, errors: &mut Errors) -> Option<Written<Pad>> {
    let Written { value, tokens } = value;
    let pad = match value {
        Value::Numbers(numbers) => match numbers.as_slice() {
            [one] => match one.word() {
                Some(word) if word == "same" => Some(Pad::Same),
                Some(_) => None,
                None => Some(Pad::Zeros(core::array::from_fn(|_| one.clone()))),
            },
            _ => None,
        },
        Value::Tuple(numbers) => match numbers.as_slice() {
            [before, after] => Some(Pad::Zeros([before, after, before, after].map(Clone::clone))),
            [top, bottom, left, right] => {
                Some(Pad::Zeros([top, bottom, left, right].map(Clone::clone)))
            }
            _ => None,
        },
        _ => None,
    };
    match pad {
        Some(Pad::Zeros(sides)) if sides.iter().any(|side| side.word().is_some()) => {}
        Some(value) => return Some(Written { value, tokens }),
        None => {}
    }
    let forms = "`2`, `same`, `(before, after)` or `(top, bottom, left, right)`";
    errors.push(tokens, format!("pad is {forms}"));
    None
}

/// `exact`, `crop`, `pad`.
fn fit(value: Written<Value>, errors: &mut Errors) -> Option<Written<Fit>> {
    let Written { value, tokens } = value;
    if let Value::Numbers(numbers) = value
        && let [number] = numbers.as_slice()
        && let Some(word) = number.word()
    {
        match word.to_string().as_str() {
            "exact" => {
                return Some(Written {
                    value: Fit::Exact,
                    tokens,
                });
            }
            "crop" => {
                return Some(Written {
                    value: Fit::Crop,
                    tokens,
                });
            }
            "pad" => {
                return Some(Written {
                    value: Fit::Pad,
                    tokens,
                });
            }
            _ => {}
        }
    }
    errors.push(
        tokens,
        "fit is `exact`, `crop` (what is left over) or `pad` (with zeros)",
    );
    None
}
