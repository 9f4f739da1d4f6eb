//! # Parameters: what is learned
//!
//! A network is a plain struct of tensors. Code that treats all of them alike (optimizers, weight
//! files, initialisation) sees them by index, in the order of declaration. A few tensors are not
//! learned but measured: the statistics of a `batch_norm`.

#![expect(unsafe_code, reason = "zeros are parameters, and where a tensor lies")]

use core::mem::MaybeUninit;

use bytemuck::Zeroable;
use num_traits::ConstZero;

use crate::{Element, ElementType, Real};

/// What a tensor of parameters is for. Weight decay leaves biases alone, and initialisation leaves
/// them zero (CS231n, *Regularization*, *Weight Initialization*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The filters of a `conv`: `[height, width, depth, filters]`.
    Filters,
    /// The filters of a `conv` in so many groups, or of a `depthwise`, which has as many as slices:
    /// `[height, width, depth of a group, filters]`. An input is seen by those of its own group.
    Grouped(usize),
    /// The weights of an `fc`, filters as large as the volume they read: `[height, width, depth,
    /// filters]`. They do not slide, so an input is seen by fewer outputs than in a `conv`.
    Weights,
    /// One number a filter, or a depth slice.
    Bias,
    /// A factor for each depth slice, γ of a `batch_norm`. It begins at 1.
    Gain,
    /// A factor below zero for each depth slice, of a `prelu`. It begins at 1/4.
    Slope,
    /// The running mean of each depth slice: a statistic. It begins at 0. The number holds the bits of the momentum, an
    /// `f64`: how far a step moves it to that of the batch, a tenth by `Mean(f64::to_bits(0.1))`.
    Mean(u64),
    /// The running variance of each depth slice: a statistic. It begins at 1. The numbers hold the bits
    /// of ε, the `f64` that is added to it before the root, and of the momentum,
    /// `Variance(f64::to_bits(1e-5), f64::to_bits(0.1))`: a variance
    /// with which that is not above 0 is neither saved nor loaded.
    Variance(u64, u64),
}

impl Role {
    /// Whether it is learned. What is not is a statistic: its *gradient* is how far it is from what
    /// was seen, and no optimizer touches it.
    #[must_use]
    pub const fn is_learned(self) -> bool {
        self.momentum().is_none()
    }

    /// How far a step moves it to that of the batch, if it is a statistic.
    #[must_use]
    pub const fn momentum(self) -> Option<f64> {
        match self {
            Self::Mean(momentum) | Self::Variance(_, momentum) => Some(f64::from_bits(momentum)),
            Self::Filters
            | Self::Grouped(_)
            | Self::Weights
            | Self::Bias
            | Self::Gain
            | Self::Slope => None,
        }
    }

    /// Whether such a tensor may hold `value`: a finite one, and a variance that has a root once ε is
    /// added, in the network's own arithmetic.
    #[cfg(feature = "safetensors")]
    pub(crate) fn allows<T: Real>(self, value: T) -> bool {
        value.is_finite()
            && match self {
                Self::Variance(epsilon, _) => value + T::of(f64::from_bits(epsilon)) > T::ZERO,
                _ => true,
            }
    }
}

/// The name, role and shape of one tensor of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Layer and tensor, `conv1.filters`.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// `[height, width, depth, filters]` for filters, `[filters]` for a bias.
    pub shape: &'static [usize],
}

impl Tensor {
    /// How many scalars it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        let (mut len, mut axis) = (1, 0);
        while axis < self.shape.len() {
            len *= self.shape[axis];
            axis += 1;
        }
        len
    }

    /// How many scalars of `tensors` are learned, and how many are not.
    #[must_use]
    pub const fn scalars(tensors: &[Self]) -> [usize; 2] {
        let ([mut learned, mut fixed], mut index) = ([0; 2], 0);
        while index < tensors.len() {
            match tensors[index].role.is_learned() {
                true => learned += tensors[index].len(),
                false => fixed += tensors[index].len(),
            }
            index += 1;
        }
        [learned, fixed]
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A value made of tensors: a network, or its gradient, which has the same type; or a layer.
///
/// For a layer, [`parameters!`](crate::parameters!) writes this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no layer with parameters",
    label = "does not implement `Parameters`",
    note = "`parameters!` declares one; a layer without parameters is named by a value, and not by a \
            type with `<…>`"
)]
pub trait Parameters: Zeroable + 'static {
    /// What the tensors are made of.
    type Scalar: Real;
    /// Every tensor, in the order of declaration. The list is the same whatever they are made of.
    const TENSORS: &'static [Tensor];
    /// Of what each tensor is made.
    const ELEMENT: ElementType = <Self::Scalar as Element>::TYPE;

    /// Whether it only stands in for what was declared wrong, so that the compiler says that and nothing
    /// else. `convnet!` writes it.
    #[doc(hidden)]
    const STANDS_IN: bool = false;

    /// The scalars of `TENSORS[index]`; empty past the last.
    fn tensor(&self, index: usize) -> &[Self::Scalar];

    /// The scalars of `TENSORS[index]`; empty past the last.
    fn tensor_mut(&mut self, index: usize) -> &mut [Self::Scalar];

    /// Sets every scalar to zero.
    fn fill_zero(&mut self) {
        for index in 0..Self::TENSORS.len() {
            self.tensor_mut(index).fill(Self::Scalar::ZERO);
        }
    }
}

/// Parameters that say where their tensors lie, so that the compiler can put a file's bytes there.
///
/// `convnet!` writes it for a network, and [`parameters!`](crate::parameters!) for a layer.
///
/// # Safety
///
/// For each of `TENSORS` there is an offset: that many bytes from where a value begins lie all
/// scalars of the tensor, one after the other.
#[diagnostic::on_unimplemented(
    message = "the compiler does not know where the tensors of `{Self}` lie",
    note = "`parameters!` declares a layer whose weights can lie in flash"
)]
pub unsafe trait InFlash: Parameters {
    /// Bytes from the beginning of a value to each of its tensors.
    const OFFSETS: &'static [usize];
}

/// Declares the parameters of a layer that is written by hand: a struct of tensors, each with its
/// [`Role`] and its shape, the first axis outermost.
///
/// The struct is `repr(C)`, its fields are arrays of the scalar, and it implements [`Parameters`],
/// `Zeroable` and [`InFlash`](crate::flash::InFlash): with an implementation of
/// [`Layer`](crate::Layer) it can be named in a declaration, `layer(Scale<T, 12>, 32x32x12)`. (Rust
/// cannot `derive` for a struct whose types a macro writes.)
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::{Parameters, parameters};
///
/// parameters! {
///     /// A factor for each depth slice.
///     pub struct Scale<T, const D: usize> {
///         /// γ, which begins at 1.
///         pub gamma: Gain [D],
///     }
/// }
///
/// parameters! {
///     pub struct Mix<T> {
///         pub filters: Filters [1, 1, 3, 8],
///         pub bias: Bias [8],
///     }
/// }
///
/// let scale = Scale { gamma: [1.0_f32, 2.0] };
/// parameters! {
///     /// What a norm has seen: a step moves it by a tenth; its ε is 0.001.
///     pub struct Seen<T, const D: usize> {
///         pub mean: Mean(f64::to_bits(0.1)) [D],
///         pub variance: Variance(f64::to_bits(1e-3), f64::to_bits(0.1)) [D],
///     }
/// }
///
/// assert_eq!(scale.tensor(0), [1.0, 2.0]);
/// assert_eq!(Mix::<f32>::TENSORS[0].name, "filters");
/// assert_eq!(Mix::<f64>::ZERO.tensor(0).len(), 24);
/// ```
#[macro_export]
macro_rules! parameters {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident<$t:ident $(, const $n:ident: usize)* $(,)?> {
            $(
                $(#[$of_field:meta])*
                $seen:vis $field:ident: $role:ident $(($($number:expr),+))? [$($axis:tt),+ $(,)?]
            ),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[repr(C)]
        $visibility struct $name<$t $(, const $n: ::core::primitive::usize)*> {
            $($(#[$of_field])* $seen $field: $crate::__tensor!($t, $($axis),+),)+
        }

        // SAFETY: every field is an array of scalars, and there are no others (`only`).
        unsafe impl<$t: $crate::Real $(, const $n: ::core::primitive::usize)*> $crate::__private::Zeroable
            for $name<$t $(, { $n })*>
        {
        }

        const _: () = {
            // What an attribute makes of the struct is seen here.
            #[allow(dead_code)]
            fn only<$t: $crate::Real $(, const $n: ::core::primitive::usize)*>(it: &$name<$t $(, { $n })*>) {
                let $name { $($field: _),+ } = it;
                $(let _: *const $crate::__tensor!($t, $($axis),+) = &raw const it.$field;)+
            }
        };

        impl<$t: $crate::Real $(, const $n: ::core::primitive::usize)*> $name<$t $(, { $n })*> {
            /// All parameters zero.
            pub const ZERO: Self = $crate::__private::zeroed();
        }

        impl<$t: $crate::Real $(, const $n: ::core::primitive::usize)*> $crate::Parameters for $name<$t $(, { $n })*> {
            type Scalar = $t;
            const TENSORS: &'static [$crate::Tensor] = &[$($crate::Tensor {
                name: ::core::stringify!($field),
                role: $crate::Role::$role $(($($number),+))?,
                shape: &[$($axis),+],
            }),+];

            fn tensor(&self, index: ::core::primitive::usize) -> &[$t] {
                let mut at = 0;
                $(
                    if index == at {
                        return $crate::__flat!(&self.$field, as_flattened, $($axis),+);
                    }
                    at += 1;
                )+
                let _ = at;
                &[]
            }

            fn tensor_mut(&mut self, index: ::core::primitive::usize) -> &mut [$t] {
                let mut at = 0;
                $(
                    if index == at {
                        return $crate::__flat!(&mut self.$field, as_flattened_mut, $($axis),+);
                    }
                    at += 1;
                )+
                let _ = at;
                &mut []
            }
        }

        // SAFETY: every tensor is a field, an array of its scalars.
        unsafe impl<$t: $crate::Real $(, const $n: ::core::primitive::usize)*> $crate::__private::InFlash
            for $name<$t $(, { $n })*>
        {
            const OFFSETS: &'static [::core::primitive::usize] =
                &[$(::core::mem::offset_of!(Self, $field)),+];
        }
    };
}

/// A value of zeros, as a constant: `Zeroable::zeroed` is none.
#[must_use]
pub const fn zeroed<P: Zeroable>() -> P {
    // SAFETY: zeros are a value of a `Zeroable` type.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// `[[T; 12]; 3]` for the axes 3 and 12.
#[doc(hidden)]
#[macro_export]
macro_rules! __tensor {
    ($t:ident, $axis:tt) => { [$t; $axis] };
    ($t:ident, $axis:tt, $($rest:tt),+) => { [$crate::__tensor!($t, $($rest),+); $axis] };
}

/// The scalars of such an array, borrowed.
#[doc(hidden)]
#[macro_export]
macro_rules! __flat {
    (&mut $array:expr, $flat:ident, $axis:tt) => { &mut $array[..] };
    (&mut $array:expr, $flat:ident, $axis:tt, $($rest:tt),+) => {
        $crate::__flat!(&mut $array.$flat(), $flat, $($rest),+)
    };
    (&$array:expr, $flat:ident, $axis:tt) => { &$array[..] };
    (&$array:expr, $flat:ident, $axis:tt, $($rest:tt),+) => {
        $crate::__flat!(&$array.$flat(), $flat, $($rest),+)
    };
}
