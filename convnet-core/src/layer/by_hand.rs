//! A layer that a declaration names by a value.

use core::marker::PhantomData;

use super::Layer;
use super::word::word;

word! {
    /// `layer(path::To::SHIFT, 32x32x12)`, `layer(path::To::Scale<T, 12>, 32x32x12)`: a layer written by
    /// hand.
    ///
    /// It implements [`Layer`](crate::Layer) for the volume before it and the one that is said here. A
    /// value has no parameters. A type, which stands with its `<…>`, does: it becomes a field, `T` is the
    /// network's scalar, and [`parameters!`](crate::parameters!) declares it.
    layer {
        /// A value: a unit struct, or a `const` of a type with hyperparameters. Or a type.
        what: () = first(Takes::Item),
        /// Width x height x depth of what it writes.
        volume: [usize; 3] = first(Takes::Shape),
    }
    Manner::Selects, Sees::Anything;
    example: "layer(path::To::SHIFT, 32x32x12)",
}

/// What such a layer is to do.
#[doc(hidden)]
#[derive(Debug)]
pub enum Call<'a, X, Y> {
    /// [`Layer::forward`].
    Forward(&'a X, &'a mut Y),
    /// [`Layer::backward`]: `x`, `dx` and `dy`.
    Backward(&'a X, &'a mut X, &'a Y),
}

/// Has the layer `value` do it. There is no gradient on that, so a copy of it will do for one.
///
/// The only place where a declaration asks whether a value is a layer: what is none is one error,
/// however often it is called.
#[doc(hidden)]
pub fn by_hand<X, Y, L: Layer<X, Y>>(value: &L, copy: impl Fn() -> L, call: Call<'_, X, Y>) {
    match call {
        Call::Forward(x, y) => value.forward(x, y),
        Call::Backward(x, dx, dy) => value.backward(x, dx, dy, &mut copy()),
    }
}

/// A value that is to be a layer from `X` to `Y`, of which the same line makes others: one that is no layer
/// hears it of the first.
#[derive(Debug)]
pub struct After<X, Y, L>(L, PhantomData<(X, Y)>);

/// As a value says what its type is.
pub const fn after<X, Y, L>(value: L) -> After<X, Y, L> {
    After(value, PhantomData)
}

impl<X, Y, L: Layer<X, Y>> After<X, Y, L> {
    /// It. (What is inherent comes before what a trait gives.)
    pub fn or_any(self) -> L {
        self.0
    }
}

/// Of what is no layer.
pub trait OrAny: Sized {
    /// One that stands in.
    fn or_any(self) -> AnyLayer {
        AnyLayer
    }
}

impl<X, Y, L> OrAny for After<X, Y, L> {}

/// What stands for a layer by hand or a network inside where a declaration is wrong: the error is that
/// one, and not what follows of it. No program with it is ever built.
#[derive(Clone, Copy, Debug)]
pub struct AnyLayer;

impl<X, Y> Layer<X, Y> for AnyLayer {
    fn forward(&self, _: &X, _: &mut Y) {}

    fn backward(&self, _: &X, _: &mut X, _: &Y, _: &mut Self) {}

    fn backward_parameters(&self, _: &X, _: &Y, _: &mut Self) {}
}
