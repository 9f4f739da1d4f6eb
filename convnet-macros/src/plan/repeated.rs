//! Sizes by name that stand at several places. One that is no `usize` is one mistake: the first place says so.

use std::collections::BTreeSet;

use convnet_core::graph::Numbers;
use proc_macro2::TokenStream;

use super::numbers::is_named;
use crate::emit::code;
use crate::syntax::{Decimal, Kind, Number, Pad, Window, Written};

/// The names that stood before.
#[derive(Default)]
pub(super) struct Repeated(BTreeSet<String>);

impl Repeated {
    /// The layer, with each of its names that stood before as a cast, which takes any whole number.
    pub(super) fn layer(&mut self, kind: &Kind) -> Kind {
        kind.map(self)
    }

    /// The same of sizes.
    pub(super) fn sizes<const N: usize>(&mut self, sizes: &[Number; N]) -> [Number; N] {
        sizes.each_ref().map(|size| self.size(size))
    }

    fn size(&mut self, size: &Number) -> Number {
        if !is_named(size) || self.0.insert(size.to_string()) {
            return size.clone();
        }
        let path = super::numbers::size(size);
        Number::Named(code!(#path as ::core::primitive::usize))
    }

    fn written<T: Clone, U>(
        &mut self,
        of: &Written<T>,
        to: impl FnOnce(&mut Self, &T) -> U,
    ) -> Written<U> {
        Written {
            value: to(self, &of.value),
            tokens: of.tokens.clone(),
        }
    }
}

impl Numbers<Written<Number>, Window, Decimal, TokenStream> for Repeated {
    type Number = Written<Number>;
    type Window = Window;
    type Decimal = Decimal;
    type Elsewhere = TokenStream;

    fn number(&mut self, number: &Written<Number>) -> Written<Number> {
        self.written(number, Self::size)
    }

    fn window(&mut self, window: &Window) -> Window {
        Window {
            size: self.written(&window.size, Self::sizes),
            dilation: self.written(&window.dilation, Self::sizes),
            stride: self.written(&window.stride, Self::sizes),
            pad: self.written(&window.pad, |this, pad| match pad {
                Pad::Zeros(sides) => Pad::Zeros(this.sizes(sides)),
                Pad::Same => Pad::Same,
            }),
            fit: window.fit.clone(),
        }
    }

    fn decimal(&mut self, decimal: &Decimal) -> Decimal {
        decimal.clone()
    }

    fn elsewhere(&mut self, elsewhere: &TokenStream) -> TokenStream {
        elsewhere.clone()
    }
}
