//! What a declaration asks of the types that it names, for `f32`: the only places where it does, so that
//! what is no layer or no network is one error.
//!
//! A struct without a scalar of its own, named as if it had one (`layer(Shift<T>, 8x8x3)`), is the same type
//! for `f32` and `f64`. The compiler has said by then that it takes no `T`, and is asked nothing more.

use core::marker::PhantomData;

use super::nested::{Facts, Nestable};
use crate::graph::Nested;
use crate::{Layer, Parameters, Tensor};

/// A type as it is named for `f32` and for `f64`: `Named::<Scale<f32>, Scale<f64>>::IT`.
#[derive(Debug)]
pub struct Named<A, B>(PhantomData<(A, B)>);

/// A type that has a scalar.
#[derive(Debug)]
pub struct Generic<A>(PhantomData<A>);

/// A type that has none, or that is asked nothing more.
#[derive(Debug)]
pub struct NotGeneric;

impl<A> Named<A, A> {
    /// The same type twice. (What is inherent comes before what a trait gives.)
    pub const IT: NotGeneric = NotGeneric;
}

/// Of every other pair of types, the first.
pub trait First {
    /// It.
    type A;
    /// Its questions.
    const IT: Generic<Self::A>;
}

impl<A, B> First for Named<A, B> {
    type A = A;
    const IT: Generic<A> = Generic(PhantomData);
}

/// A type that is a layer from `X` to `Y`, if it is one, asked what it is from and to other volumes: where a
/// line stands for several layers, a type that is none of them hears it of the first.
#[derive(Debug)]
pub struct After<A, X, Y>(PhantomData<(A, X, Y)>);

impl<A: Layer<X, Y>, X, Y> After<A, X, Y> {
    /// It is one.
    pub const IT: Generic<A> = Generic(PhantomData);
}

/// It is none.
pub trait Refused {
    /// Then there is nothing to ask.
    const IT: NotGeneric = NotGeneric;
}

impl<A, X, Y> Refused for After<A, X, Y> {}

impl<A> Generic<A> {
    /// The tensors of a layer.
    #[must_use]
    pub const fn tensors(&self) -> &'static [Tensor]
    where
        A: Parameters,
    {
        A::TENSORS
    }

    /// The multiply-adds of a layer.
    #[must_use]
    pub const fn macs<X, Y>(&self) -> u64
    where
        A: Layer<X, Y>,
    {
        A::MACS
    }

    /// All there is to know of a network.
    #[must_use]
    pub const fn facts(&self) -> Facts
    where
        A: Nestable,
    {
        Facts::of::<A>()
    }
}

impl NotGeneric {
    /// None.
    #[must_use]
    pub const fn tensors(&self) -> &'static [Tensor] {
        &[]
    }

    /// None.
    #[must_use]
    pub const fn macs<X, Y>(&self) -> u64 {
        0
    }

    /// Those of a network that stands in for one.
    #[must_use]
    pub const fn facts(&self) -> Facts {
        Facts {
            nested: Nested {
                stands_in: true,
                ..Nested::UNKNOWN
            },
            tensors: &[],
            layers: &[],
            packing: &[],
            graph: &[],
        }
    }
}
