//! The scalars a network can be made of: `f32` and `f64`.

use core::fmt::{Debug, Display};
use core::iter::Sum;

use bytemuck::Pod;
use num_traits::{ConstOne, ConstZero, Float, FromPrimitive, NumAssign};

/// `f32` or `f64`.
///
/// Networks are trained and run in `f32`; `f64` is there to check gradients by finite differences,
/// where single precision is too coarse to tell a wrong gradient from a rounded one (CS231n,
/// *Gradient checks*).
pub trait Real:
    Float
    + NumAssign
    + FromPrimitive
    + ConstZero
    + ConstOne
    + Sum
    + Pod
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
{
    /// The nearest value to `value`.
    fn of(value: f64) -> Self;

    /// The same value as `f64`; exact for both scalars.
    fn to_f64(self) -> f64;

    /// The same slice, if `Self` is `f32`: the door to the vector kernels.
    fn as_f32(slice: &[Self]) -> Option<&[f32]>;

    /// The same slice, if `Self` is `f32`.
    fn as_f32_mut(slice: &mut [Self]) -> Option<&mut [f32]>;
}

impl Real for f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is what is asked for"
    )]
    fn of(value: f64) -> Self {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn as_f32(slice: &[Self]) -> Option<&[f32]> {
        Some(slice)
    }

    fn as_f32_mut(slice: &mut [Self]) -> Option<&mut [f32]> {
        Some(slice)
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn as_f32(_: &[Self]) -> Option<&[f32]> {
        None
    }

    fn as_f32_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
}
