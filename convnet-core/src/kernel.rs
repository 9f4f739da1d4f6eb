//! # Kernels: how to do it fast
//!
//! Every function here has a plain twin in [`layer`](crate::layer): the loops that say what is
//! computed, and the specification. Deleting a kernel changes speed only.

/// The numbers of a sliding window, as the kernels take them; `[rows, columns(, depth)]`.
///
/// Output `(oy, ox)` reads input rows `oy·stride − before ..` for `filter` rows, likewise columns;
/// what lies outside the input is zero (for max pooling: is not there).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The input volume.
    pub x: [usize; 3],
    /// The filter.
    pub filter: [usize; 2],
    /// The stride.
    pub stride: [usize; 2],
    /// Zeros above and left.
    pub before: [usize; 2],
    /// The output volume.
    pub y: [usize; 3],
}
