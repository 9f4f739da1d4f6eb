//! A layer as one reads it: as a line of a declaration, or in a table.

use core::fmt::{self, Display, Formatter};

use super::{Arg, Decimals, Elsewhere, Field, Op, Takes};
use crate::shape::{Fit, Padding, Window};

/// In a table, beside the word: what [`Op::detail`] gives.
struct Detail<'a, N, D, P>(&'a Op<N, Window<N>, D, P>);

/// What stands behind an argument's name.
enum Value<'a, N, D, P> {
    Count(&'a N),
    Decimal(&'a D),
    Decimals(&'a Decimals<D>),
    Item(&'a P),
    /// `5x3`.
    Size(&'a [N; 2]),
    /// `2`, `2x1`.
    Step(&'a [N; 2]),
    Pad(&'a Padding<N>),
    Fit(Fit),
    None,
    Volume(&'a [N; 3]),
}

impl<N, D, P> Op<N, Window<N>, D, P>
where
    N: Display + PartialEq + PartialEq<usize>,
    D: Display + PartialEq<f64>,
    P: Display,
{
    /// The hyperparameters as one reads them in a table; nothing, if there are none.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::graph::Op;
    /// use convnet::shape::Window;
    ///
    /// let conv = Op::conv(12, Window::square(5, 1, 2));
    /// assert_eq!(conv.detail().to_string(), "12 of 5x5, pad 2");
    /// assert_eq!(conv.to_string(), "conv(12, 5x5, pad = 2)");
    /// ```
    pub const fn detail(&self) -> impl Display {
        Detail(self)
    }

    /// What stands for an argument, and whether nothing would say the same.
    fn value<'a>(&'a self, arg: &Arg) -> Option<(Value<'a, N, D, P>, bool)> {
        let named = |name: &str| {
            let mut found = None;
            self.visit(|field, value| {
                if field == name {
                    found = Some(value);
                }
            });
            found
        };
        let window = || match named("window") {
            Some(Field::Slides(window)) => Some(window),
            _ => None,
        };
        Some(match (arg.takes, named(arg.name)) {
            (Takes::Count { default, .. }, Some(Field::Count(count))) => {
                let same = default.is_some_and(|default| *count == default);
                (Value::Count(count), same)
            }
            (Takes::Decimal { default, .. }, Some(Field::Decimal(decimal))) => {
                let same = default.is_some_and(|default| *decimal == default);
                (Value::Decimal(decimal), same)
            }
            (Takes::Decimals { .. }, Some(Field::Decimals(list))) => (Value::Decimals(list), false),
            (Takes::Size, _) => (Value::Size(&window()?.size), false),
            (Takes::Stride(default), _) => {
                let Window { size, stride, .. } = window()?;
                let same = match default {
                    Some(default) => stride.iter().all(|stride| *stride == default),
                    None => stride == size,
                };
                (Value::Step(stride), same)
            }
            (Takes::Dilation, _) => {
                let dilation = &window()?.dilation;
                (Value::Step(dilation), dilation.iter().all(|it| *it == 1))
            }
            (Takes::Pad, _) => {
                let padding = &window()?.padding;
                let none = match padding {
                    Padding::Same => false,
                    Padding::Zeros {
                        top,
                        bottom,
                        left,
                        right,
                    } => [top, bottom, left, right]
                        .into_iter()
                        .all(|side| *side == 0),
                };
                // What must be written is.
                (Value::Pad(padding), none && !arg.positional)
            }
            (Takes::Remainder, _) => {
                let fit = window()?.fit;
                (Value::Fit(fit), fit == Fit::Exact)
            }
            (Takes::Unless(_), Some(Field::Flag(is_there))) => (Value::None, is_there),
            (Takes::Item, Some(Field::Path(path))) => (Value::Item(path), false),
            (Takes::Shape, Some(Field::Shape(volume))) => (Value::Volume(volume), false),
            // No argument of this layer.
            (
                Takes::Count { .. }
                | Takes::Decimal { .. }
                | Takes::Decimals { .. }
                | Takes::Unless(_)
                | Takes::Item
                | Takes::Shape,
                _,
            ) => return None,
        })
    }

    /// The arguments to write, with what stands for them; those too that say nothing if `all` says so.
    fn values(
        &self,
        all: impl Fn(&Arg) -> bool,
    ) -> impl Iterator<Item = (&'static Arg, Value<'_, N, D, P>)> {
        let args = self.word().args.iter();
        args.filter_map(move |arg| {
            let (value, says_nothing) = self.value(arg)?;
            (!says_nothing || all(arg)).then_some((arg, value))
        })
    }
}

impl<N, D, P> Display for Detail<'_, N, D, P>
where
    N: Display + PartialEq + PartialEq<usize>,
    D: Display + PartialEq<f64>,
    P: Display,
{
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        // Whether a pool's windows overlap one should see.
        let always = |arg: &Arg| arg.positional || arg.takes == Takes::Stride(None);
        for (arg, value) in self.0.values(always) {
            match (arg.takes, arg.positional) {
                // Stands beside it.
                (Takes::Shape, _) => continue,
                (Takes::Size, _) if !gap.is_empty() => write!(f, " of {value}")?,
                (Takes::Unless(_), _) => write!(f, "{gap}no {}", arg.name)?,
                (_, true) => write!(f, "{gap}{value}")?,
                (_, false) => write!(f, "{gap}{} {value}", arg.name)?,
            }
            gap = ", ";
        }
        Ok(())
    }
}

/// As a line of a declaration: `conv(12, 5x5, pad = 2)`.
impl<N, D, P> Display for Op<N, Window<N>, D, P>
where
    N: Display + PartialEq + PartialEq<usize>,
    D: Display + PartialEq<f64>,
    P: Display,
{
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.word().name)?;
        let mut gap = "(";
        for (arg, value) in self.values(|_| false) {
            f.write_str(gap)?;
            if !arg.positional {
                write!(f, "{} = ", arg.name)?;
            }
            if let Value::Decimal(decimal) = value {
                write_decimal(f, decimal)?;
            } else if let Value::Decimals(list) = value {
                write_list(f, list, write_decimal)?;
            } else {
                value.fmt(f)?;
            }
            gap = ", ";
        }
        f.write_str(if gap == "(" { "" } else { ")" })
    }
}

/// A decimal as a declaration takes it: `2.0`, and not `2`. The name of a constant stays as it is.
fn write_decimal(f: &mut Formatter<'_>, decimal: &impl Display) -> fmt::Result {
    struct Whole<'a, 'f>(&'a mut Formatter<'f>, bool);

    impl fmt::Write for Whole<'_, '_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.1 &= text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
            self.0.write_str(text)
        }
    }

    let mut whole = Whole(f, true);
    fmt::write(&mut whole, format_args!("{decimal}"))?;
    match whole {
        Whole(f, true) => f.write_str(".0"),
        Whole(_, false) => Ok(()),
    }
}

/// One as itself, several in square brackets.
fn write_list<D>(
    f: &mut Formatter<'_>,
    list: &Decimals<D>,
    write: impl Fn(&mut Formatter<'_>, &D) -> fmt::Result,
) -> fmt::Result {
    if let [one] = list.as_slice() {
        return write(f, one);
    }
    let mut gap = "[";
    for decimal in list.as_slice() {
        f.write_str(gap)?;
        write(f, decimal)?;
        gap = ", ";
    }
    f.write_str("]")
}

impl<N: Display + PartialEq, D: Display, P: Display> Display for Value<'_, N, D, P> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Decimal(decimal) => decimal.fmt(f),
            Self::Decimals(list) => write_list(f, list, |f, decimal| decimal.fmt(f)),
            Self::Item(path) => path.fmt(f),
            Self::Step([down, across]) if down == across => down.fmt(f),
            Self::Size([down, across]) | Self::Step([down, across]) => {
                write!(f, "{across}x{down}")
            }
            Self::Pad(Padding::Same) => f.write_str("same"),
            Self::Pad(Padding::Zeros {
                top,
                bottom,
                left,
                right,
            }) => match (top == left && bottom == right, top == bottom) {
                (true, true) => top.fmt(f),
                (true, false) => write!(f, "({top}, {bottom})"),
                (false, _) => write!(f, "({top}, {bottom}, {left}, {right})"),
            },
            Self::Fit(Fit::Exact) => f.write_str("exact"),
            Self::Fit(Fit::Crop) => f.write_str("crop"),
            Self::Fit(Fit::Pad) => f.write_str("pad"),
            Self::None => f.write_str("none"),
            Self::Volume([h, w, d]) => write!(f, "{w}x{h}x{d}"),
        }
    }
}

/// Its path.
impl Display for Elsewhere<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::graph::{BLOCKS, Nested};

    /// How each layer looks in a table, and in a declaration.
    #[test]
    fn a_layer_is_shown_as_it_would_be_written() {
        let window = |size, stride, padding, fit| Window {
            size,
            dilation: [1; 2],
            stride,
            padding,
            fit,
        };
        let what = Elsewhere {
            path: "path::To::SHIFT",
            nested: Nested::UNKNOWN,
            graph: &[],
        };
        let ops: [(Op, &str, &str); 14] = [
            (
                Op::Conv {
                    filters: 8,
                    groups: 2,
                    bias: false,
                    window: Window {
                        dilation: [2, 1],
                        ..window([3, 5], [2, 1], Padding::pair(0, 1), Fit::Crop)
                    },
                },
                "8 of 5x3, stride 1x2, pad (0, 1), fit crop, groups 2, dilation 1x2, no bias",
                "conv(8, 5x3, stride = 1x2, pad = (0, 1), fit = crop, groups = 2, dilation = 1x2, bias = none)",
            ),
            (
                Op::Depthwise {
                    bias: true,
                    window: window([3; 2], [1; 2], Padding::Same, Fit::Exact),
                },
                "3x3, pad same",
                "depthwise(3x3, pad = same)",
            ),
            (
                Op::MaxPool {
                    window: Window::square(2, 2, 0),
                },
                "2x2, stride 2",
                "max_pool(2x2)",
            ),
            (
                Op::AvgPool {
                    window: Window::square(3, 2, 0),
                },
                "3x3, stride 2",
                "avg_pool(3x3, stride = 2)",
            ),
            (Op::BATCH_NORM, "", "batch_norm"),
            (
                Op::BatchNorm {
                    eps: 1e-3,
                    momentum: 0.01,
                    affine: false,
                },
                "eps 0.001, momentum 0.01, no affine",
                "batch_norm(eps = 0.001, momentum = 0.01, affine = none)",
            ),
            (
                Op::Lrn {
                    size: 5,
                    alpha: 5e-4,
                    beta: 0.75,
                    k: 2.0,
                },
                "5, alpha 0.0005, k 2",
                "lrn(5, alpha = 0.0005, k = 2.0)",
            ),
            (Op::LeakyRelu { slope: 0.01 }, "0.01", "leaky_relu"),
            (
                Op::Clamp {
                    low: -1.0,
                    high: 0.5,
                },
                "-1, 0.5",
                "clamp(-1.0, 0.5)",
            ),
            (
                Op::Normalize {
                    mean: Decimals::of([-1.0, 0.5]),
                    std: Decimals::of([2.0]),
                },
                "mean [-1, 0.5], std 2",
                "normalize(mean = [-1.0, 0.5], std = 2.0)",
            ),
            (Op::fc(10), "10", "fc(10)"),
            (Op::Relu, "", "relu"),
            (
                Op::Own {
                    what,
                    learns: false,
                    volume: [4, 6, 2],
                },
                "path::To::SHIFT",
                "layer(path::To::SHIFT, 6x4x2)",
            ),
            (Op::Add { with: 0, input: 0 }, "", BLOCKS[0].name),
        ];
        for (op, detail, line) in ops {
            assert_eq!(op.detail().to_string(), detail);
            assert_eq!(op.to_string(), line);
        }
    }
}
