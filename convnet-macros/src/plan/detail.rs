//! A layer as it was written, in the numbers that `convnet_core::graph` shows.

use convnet_core::graph::{Numbers, Op};
use convnet_core::shape::{Padding, Window as Shown};
use proc_macro2::TokenStream;

use super::numbers::path;
use crate::syntax::{Decimal, Kind, Number, Pad, Window, Written};

/// What stands in the table beside the layer's word; empty if it has no hyperparameters.
pub(super) fn detail(kind: &Kind) -> String {
    let shown: Op<Number, Shown<Number>, Decimal, String> = kind.map(&mut AsWritten);
    shown.detail().to_string()
}

struct AsWritten;

impl Numbers<Written<Number>, Window, Decimal, TokenStream> for AsWritten {
    type Number = Number;
    type Window = Shown<Number>;
    type Decimal = Decimal;
    type Elsewhere = String;

    fn number(&mut self, number: &Written<Number>) -> Number {
        number.value.clone()
    }

    fn window(&mut self, window: &Window) -> Shown<Number> {
        let padding = match window.pad.value.clone() {
            Pad::Same => Padding::Same,
            Pad::Zeros([top, bottom, left, right]) => Padding::Zeros {
                top,
                bottom,
                left,
                right,
            },
        };
        Shown {
            size: window.size.value.clone(),
            dilation: window.dilation.value.clone(),
            stride: window.stride.value.clone(),
            padding,
            fit: window.fit.value,
        }
    }

    fn decimal(&mut self, decimal: &Decimal) -> Decimal {
        decimal.clone()
    }

    fn elsewhere(&mut self, what: &TokenStream) -> String {
        path(what)
    }
}
