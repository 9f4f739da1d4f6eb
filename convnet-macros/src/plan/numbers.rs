//! The numbers of a layer as they are written, in plain numbers and as expressions.

use convnet_core::graph::{Elsewhere, Field, Numbers, Op, Sees};
use convnet_core::plan::Nested;
use convnet_core::shape::{Fit, Padding, Window as PlainWindow};
use proc_macro2::{Ident, Literal, Span, TokenStream};

use crate::emit::{code, nested, tensors};
use crate::syntax::{Decimal, Kind, Number, Pad, Window, Written};

/// A layer as expressions.
pub(super) type Expression = Op<TokenStream, TokenStream, TokenStream, TokenStream>;

/// The layer in plain numbers: 1 for one that only the compiler knows.
pub(super) fn plain(kind: &Kind) -> Op {
    plain_at("", kind)
}

/// The same; if it is declared elsewhere, at `path`.
pub(super) fn plain_at<'a>(
    path: &'a str,
    kind: &Kind,
) -> Op<usize, PlainWindow, f64, Elsewhere<'a>> {
    kind.map(&mut Plain { path })
}

/// The layer as expressions.
fn expression(krate: &TokenStream, kind: &Kind) -> Expression {
    let facts = match kind.elsewhere() {
        Some(what) if matches!(kind.sees(), Sees::Inner) => nested(krate, what),
        Some(what) if kind.has_parameters() => {
            let tensors = tensors(krate, what);
            let scalars = code!(#krate::Tensor::scalars(#tensors));
            code!(nested: #krate::plan::Nested::learning(#scalars), graph: &[])
        }
        Some(_) | None => code!(nested: #krate::plan::Nested::UNKNOWN, graph: &[]),
    };
    kind.map(&mut Expressions { krate, facts })
}

/// The expression that builds a layer.
fn build(krate: &TokenStream, op: &Expression) -> TokenStream {
    let variant = Ident::new(op.variant(), Span::mixed_site());
    let mut fields = Vec::new();
    op.visit(|name, field| {
        let name = Ident::new(name, Span::mixed_site());
        let literal = |number: usize| Literal::usize_unsuffixed(number);
        let value = match field {
            Field::Count(it) | Field::Slides(it) | Field::Decimal(it) | Field::Path(it) => {
                it.clone()
            }
            Field::Decimals(list) => {
                let list = list.as_slice();
                code!(#krate::graph::Decimals::of([#(#list),*]))
            }
            Field::Shape([h, w, d]) => code!([#h, #w, #d]),
            Field::Flag(flag) => code!(#flag),
            Field::Index(index) => {
                let index = literal(index);
                code!(#index)
            }
            Field::Maybe(Some(index)) => {
                let index = literal(index);
                code!(::core::option::Option::Some(#index))
            }
            Field::Maybe(None) => code!(::core::option::Option::None),
        };
        fields.push(code!(#name: #value));
    });
    let braces = (!fields.is_empty()).then(|| code!({ #(#fields),* }));
    code!(#krate::graph::Op::#variant #braces)
}

/// The expression that builds a layer.
pub(super) fn op(krate: &TokenStream, kind: &Kind) -> TokenStream {
    build(krate, &expression(krate, kind))
}

/// Whether a number is the name of a `const`.
pub(super) fn is_named(number: &Number) -> bool {
    matches!(number, Number::Named(_))
}

/// Whether any number that decides a size is.
pub(super) fn any_named(kind: &Kind) -> bool {
    let mut any = false;
    kind.visit(|_, field| {
        any |= match field {
            Field::Count(number) => is_named(&number.value),
            Field::Slides(window) => window.numbers().any(is_named),
            Field::Shape(volume) => volume.iter().any(|number| is_named(&number.value)),
            // No size.
            Field::Decimal(_)
            | Field::Decimals(_)
            | Field::Path(_)
            | Field::Flag(_)
            | Field::Index(_)
            | Field::Maybe(_) => false,
        };
    });
    any
}

struct Plain<'a> {
    path: &'a str,
}

impl<'a> Numbers<Written<Number>, Window, Decimal, TokenStream> for Plain<'a> {
    type Number = usize;
    type Window = PlainWindow;
    type Decimal = f64;
    type Elsewhere = Elsewhere<'a>;

    fn number(&mut self, number: &Written<Number>) -> usize {
        known(&number.value)
    }

    fn window(&mut self, window: &Window) -> PlainWindow {
        let padding = match &window.pad.value {
            Pad::Same => Padding::Same,
            Pad::Zeros(sides) => {
                let [top, bottom, left, right] = sides.each_ref().map(known);
                Padding::Zeros {
                    top,
                    bottom,
                    left,
                    right,
                }
            }
        };
        PlainWindow {
            size: window.size.value.each_ref().map(known),
            dilation: window.dilation.value.each_ref().map(known),
            stride: window.stride.value.each_ref().map(known),
            padding,
            fit: window.fit.value,
        }
    }

    fn decimal(&mut self, decimal: &Decimal) -> f64 {
        match decimal {
            Decimal::Known(value) => *value,
            Decimal::Named(_) => 1.0,
        }
    }

    fn elsewhere(&mut self, _: &TokenStream) -> Elsewhere<'a> {
        Elsewhere {
            path: self.path,
            nested: Nested::UNKNOWN,
            graph: &[],
        }
    }
}

fn known(number: &Number) -> usize {
    number.known().unwrap_or(1)
}

struct Expressions<'a> {
    krate: &'a TokenStream,
    /// What is known of what is declared elsewhere: fields.
    facts: TokenStream,
}

impl Numbers<Written<Number>, Window, Decimal, TokenStream> for Expressions<'_> {
    type Number = TokenStream;
    type Window = TokenStream;
    type Decimal = TokenStream;
    type Elsewhere = TokenStream;

    fn number(&mut self, number: &Written<Number>) -> TokenStream {
        size(&number.value)
    }

    fn window(&mut self, window: &Window) -> TokenStream {
        let krate = self.krate;
        let [rows, columns] = window.size.value.each_ref().map(size);
        let [down, across] = window.stride.value.each_ref().map(size);
        let [dy, dx] = window.dilation.value.each_ref().map(size);
        let padding = match &window.pad.value {
            Pad::Same => code!(Same),
            Pad::Zeros(sides) => {
                let [top, bottom, left, right] = sides.each_ref().map(size);
                code!(Zeros { top: #top, bottom: #bottom, left: #left, right: #right })
            }
        };
        let fit = match window.fit.value {
            Fit::Exact => code!(Exact),
            Fit::Crop => code!(Crop),
            Fit::Pad => code!(Pad),
        };
        code! {
            #krate::shape::Window {
                size: [#rows, #columns],
                dilation: [#dy, #dx],
                stride: [#down, #across],
                padding: #krate::shape::Padding::#padding,
                fit: #krate::shape::Fit::#fit,
            }
        }
    }

    fn decimal(&mut self, decimal: &Decimal) -> TokenStream {
        code!(#decimal)
    }

    fn elsewhere(&mut self, what: &TokenStream) -> TokenStream {
        let (krate, facts) = (self.krate, &self.facts);
        let path = path(what);
        code!(#krate::graph::Elsewhere { path: #path, #facts })
    }
}

/// What is declared elsewhere, as one reads it.
pub(super) fn path(what: &TokenStream) -> String {
    what.to_string().replace(' ', "").replace(',', ", ")
}

/// A size as an expression.
pub(super) fn size(number: &Number) -> TokenStream {
    match number {
        Number::Known(value) => {
            let value = Literal::usize_unsuffixed(*value);
            code!(#value)
        }
        Number::Named(path) => path.clone(),
    }
}
