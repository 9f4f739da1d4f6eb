//! # Kernels: how to do it fast
//!
//! Every function here has a plain twin in [`layer`](crate::layer): the loops that say what is
//! computed, and the specification. Deleting a kernel changes speed only.

use crate::Real;

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

/// Whether there was a kernel for `T`; if not, nothing was done, and the caller does it plainly.
type Done = bool;

/// Not yet.
pub fn conv_forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    filters: &[T],
    bias: &[T],
    y: &mut [T],
) -> Done {
    let _ = (sizes, x, filters, bias, y);
    false
}

/// Not yet.
pub fn conv_backward_input<T: Real>(sizes: &Sizes, dx: &mut [T], dy: &[T], filters: &[T]) -> Done {
    let _ = (sizes, dx, dy, filters);
    false
}

/// Not yet.
pub fn conv_add_gradient<T: Real>(
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Done {
    let _ = (sizes, x, dy, d_filters, d_bias);
    false
}

/// Not yet.
pub fn fc_forward<T: Real>(x: &[T], filters: &[T], bias: &[T], y: &mut [T]) -> Done {
    let _ = (x, filters, bias, y);
    false
}

/// Not yet.
pub fn fc_backward_input<T: Real>(dx: &mut [T], dy: &[T], filters: &[T]) -> Done {
    let _ = (dx, dy, filters);
    false
}

/// Not yet.
pub fn fc_add_gradient<T: Real>(x: &[T], dy: &[T], d_filters: &mut [T], d_bias: &mut [T]) -> Done {
    let _ = (x, dy, d_filters, d_bias);
    false
}

/// Not yet.
pub fn max_pool_forward<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) -> Done {
    let _ = (sizes, x, y);
    false
}

/// Not yet.
pub fn max_pool_backward<T: Real>(sizes: &Sizes, x: &[T], dx: &mut [T], dy: &[T]) -> Done {
    let _ = (sizes, x, dx, dy);
    false
}
