//! What can be wrong with a layer's numbers.

use super::Axis;

/// Why a layer cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The input has no height, no width or no depth.
    NoInput,
    /// K = 0.
    NoFilters,
    /// F = 0.
    NoSize,
    /// S = 0.
    NoStride,
    /// `pad = same` keeps the size, and a stride other than 1 does not.
    Same {
        /// The stride.
        stride: usize,
    },
    /// The filter is larger than the padded input.
    Larger(Axis),
    /// As [`Larger`](Self::Larger), because an `fc` has left nothing to slide over.
    AfterFc(Axis),
    /// (W − F + 2P)/S + 1 is not an integer.
    Remainder(Axis),
    /// A pool's padding is as wide as its filter: a position could see nothing but padding.
    Border(Axis),
    /// A number, or what it leads to, is beyond what this computer can address.
    TooLarge(&'static str),
}
