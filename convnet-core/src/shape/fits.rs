//! # Fits: the formula as a trait bound
//!
//! `convnet!` checks plain numbers, and its users need nothing else. Code that is generic over a
//! size cannot: its numbers are not known yet. Here the rule is a bound, and the size of the output
//! a type, so that storage can be as long as it says:
//!
//! ```text
//! Filter<F, S, P>: Fits<W>            the rule, for a const generic W
//!                  Fits<W>::Out       (W − F + 2P)/S + 1
//! Filter<F, S, P>: Follows<Out>       the next layer
//! Square<T, Out>                      as many scalars
//! ```
//!
//! typenum's conversion from const generics ends at 1024, and so do W, F, S and P.
//!
//! Const generics cannot do this on stable: a length such as `{ (W - F) / S + 1 }` of type
//! parameters is not allowed.

use core::ops::{Add, Div, Mul, Rem, Sub};

use generic_array::{ArrayLength, GenericArray};
use typenum::{Add1, B1, Const, Diff, Prod, Quot, Sum, ToUInt, U, U0, U2, Unsigned};

/// A filter of `F` that slides with a stride of `S` over an input with `P` zeros on either side.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::shape::fits::{Filter, Fits, output};
/// use typenum::Unsigned;
///
/// assert_eq!(output::<227, 11, 4, 0>(), 55); // Krizhevsky et al. 2012, as CS231n reads it
/// assert_eq!(output::<7, 3, 1, 0>(), 5);
/// assert_eq!(output::<7, 3, 2, 0>(), 3);
/// assert_eq!(<Filter<3, 1, 1> as Fits<5>>::Out::USIZE, 5);
/// ```
///
/// ```compile_fail
/// # use convnet_core as convnet;
/// convnet::shape::fits::output::<224, 11, 4, 0>(); // what the paper prints
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter<const F: usize, const S: usize, const P: usize>;

/// `(W − F + 2P)/S + 1` is an integer: its value is `Out`.
///
/// Source: CS231n, *Convolutional Networks*, *Spatial arrangement*.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit an input of {W}: (W − F + 2P)/S + 1 is not an integer",
    label = "this F, S, P in `Filter<F, S, P>`",
    note = "another F, S or P would fit, or another W; typenum counts to 1024"
)]
pub trait Fits<const W: usize> {
    /// The size of the output.
    type Out: ArrayLength;
}

/// As [`Fits`], where W is a type: the `Out` of the layer before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit the output of the layer before: \
               (W − F + 2P)/S + 1 is not an integer",
    label = "this F, S, P in `Filter<F, S, P>`, or the input of the first layer",
    note = "another F, S or P would fit, or another input"
)]
pub trait Follows<W> {
    /// The size of the output.
    type Out: ArrayLength;
}

#[diagnostic::do_not_recommend]
impl<const W: usize, const F: usize, const S: usize, const P: usize> Fits<W> for Filter<F, S, P>
where
    Const<W>: ToUInt,
    Self: Follows<U<W>>,
{
    type Out = <Self as Follows<U<W>>>::Out;
}

/// W + 2P.
type Padded<W, const P: usize> = Sum<W, Prod<U<P>, U2>>;
/// W + 2P − F: how far the filter can go.
type Way<W, const F: usize, const P: usize> = Diff<Padded<W, P>, U<F>>;

#[diagnostic::do_not_recommend]
impl<W, const F: usize, const S: usize, const P: usize> Follows<W> for Filter<F, S, P>
where
    Const<F>: ToUInt,
    Const<S>: ToUInt,
    Const<P>: ToUInt,
    U<P>: Mul<U2>,
    W: Add<Prod<U<P>, U2>>,
    Padded<W, P>: Sub<U<F>>,
    Way<W, F, P>: Rem<U<S>, Output = U0> + Div<U<S>>,
    Quot<Way<W, F, P>, U<S>>: Add<B1>,
    Add1<Quot<Way<W, F, P>, U<S>>>: ArrayLength,
{
    type Out = Add1<Quot<Way<W, F, P>, U<S>>>;
}

/// The size of the output where it is known: a bound that anyone can try.
#[must_use]
pub const fn output<const W: usize, const F: usize, const S: usize, const P: usize>() -> usize
where
    Filter<F, S, P>: Fits<W>,
{
    <Filter<F, S, P> as Fits<W>>::Out::USIZE
}

/// `N`×`N` scalars; `N` is a type, so it may be the `Out` of a layer.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::shape::fits::{Filter, Fits, Square};
///
/// type Pooled = <Filter<2, 2, 0> as Fits<8>>::Out;
/// let pooled = Square::<f32, Pooled>::zero();
/// assert_eq!(pooled.rows().len(), 4);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Square<T, N: ArrayLength>(GenericArray<GenericArray<T, N>, N>);

impl<T: Copy + Default, N: ArrayLength> Square<T, N> {
    /// All zero.
    #[must_use]
    pub fn zero() -> Self {
        Self(GenericArray::default())
    }

    /// Row after row.
    #[must_use]
    pub fn rows(&self) -> &[GenericArray<T, N>] {
        &self.0
    }

    /// Row after row.
    pub fn rows_mut(&mut self) -> &mut [GenericArray<T, N>] {
        &mut self.0
    }
}
