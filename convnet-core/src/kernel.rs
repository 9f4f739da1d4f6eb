//! # Kernels: how to do it fast
//!
//! ```text
//! conv, conv_input, conv_filters, fc, pool     one function each, generic over
//!         └─▶ lanes ◀── widest vector that fits the depth
//!         └─▶ window ◀── which taps meet the input; pixels that have the same are tiled together
//! level ─▶ instruction set, chosen at run time with `std`
//! ```
//!
//! Read `conv` first. Every function here has a plain twin in [`layer`](crate::layer): the loops
//! that say what is computed, and the specification. Deleting a kernel changes speed only.
//!
//! **Invariant:** nothing is allocated, nothing panics, and the result depends on the level only:
//! each sum is taken in one order, whoever runs it. It differs from the plain twin's by rounding:
//! each of the two is within γ·Σ|x·w| of the exact sum, where γ = n·u/(1 − n·u), n is the number of
//! terms and u = 2⁻²⁴ (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, §3.1).
//!
//! Activations and average pools have no kernel: they are as fast as memory already when the
//! compiler vectorises their plain loops.

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

mod conv;
mod conv_filters;
mod conv_input;
mod fc;
mod lanes;
mod level;
mod pool;
mod window;

#[cfg(test)]
mod tests;

pub use level::level;
#[cfg(feature = "std")]
pub use level::{levels, with_level};

use level::dispatch;

/// Whether there was a kernel for `T`, the lengths and the target; if not, nothing was done, and
/// the caller does it plainly.
type Done = bool;

/// Runs a kernel on slices of `f32` that have the right lengths.
macro_rules! kernel {
    (($($read:ident),*), ($($write:ident),*): $fit:expr, $simd:ident => $call:expr) => {{
        $(let Some($read) = T::as_f32($read) else { return false };)*
        $(let Some($write) = T::as_f32_mut($write) else { return false };)*
        $fit && dispatch!($simd => $call).is_some()
    }};
}

/// `y[oy][ox][k] = bias[k] + Σ x · filters[fy][fx][d][k]`.
pub fn conv_forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    filters: &[T],
    bias: &[T],
    y: &mut [T],
) -> Done {
    kernel!((x, filters, bias), (y): sizes.fit_conv(x, filters, y) && bias.len() == sizes.y[2],
        simd => conv::forward(simd, &conv::Operands { sizes, x, filters, bias }, y))
}

/// `dx[iy][ix][d] = Σ dy · filters[fy][fx][d][k]`.
pub fn conv_backward_input<T: Real>(sizes: &Sizes, dx: &mut [T], dy: &[T], filters: &[T]) -> Done {
    kernel!((dy, filters), (dx): sizes.fit_conv(dx, filters, dy),
        simd => conv_input::backward(simd, &conv_input::Operands { sizes, dy, filters }, dx))
}

/// `d_filters[fy][fx][d][k] += Σ x · dy[oy][ox][k]` and `d_bias[k] += Σ dy[oy][ox][k]`.
pub fn conv_add_gradient<T: Real>(
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Done {
    kernel!((x, dy), (d_filters, d_bias):
    sizes.fit_conv(x, d_filters, dy) && d_bias.len() == sizes.y[2],
    simd => {
        let from = conv_filters::Operands { sizes, x, dy };
        conv_filters::add_gradient(simd, &from, d_filters, d_bias)
    })
}

/// `y[k] = bias[k] + Σ x[n] · filters[n][k]`.
pub fn fc_forward<T: Real>(x: &[T], filters: &[T], bias: &[T], y: &mut [T]) -> Done {
    kernel!((x, filters, bias), (y):
        fit(filters, &[x.len(), y.len()]) && bias.len() == y.len(),
        simd => fc::forward(simd, x, filters, bias, y))
}

/// `dx[n] = Σ dy[k] · filters[n][k]`.
pub fn fc_backward_input<T: Real>(dx: &mut [T], dy: &[T], filters: &[T]) -> Done {
    kernel!((dy, filters), (dx): fit(filters, &[dx.len(), dy.len()]),
        simd => fc::backward_input(simd, dx, dy, filters))
}

/// `d_filters[n][k] += x[n] · dy[k]` and `d_bias[k] += dy[k]`.
pub fn fc_add_gradient<T: Real>(x: &[T], dy: &[T], d_filters: &mut [T], d_bias: &mut [T]) -> Done {
    kernel!((x, dy), (d_filters, d_bias):
        fit(d_filters, &[x.len(), dy.len()]) && d_bias.len() == dy.len(),
        simd => fc::add_gradient(simd, x, dy, d_filters, d_bias))
}

/// `y[oy][ox][d]` = the largest `x` of the window; equal to the plain twin's to the bit.
pub fn max_pool_forward<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) -> Done {
    kernel!((x), (y): sizes.fit_pool(x, y), simd => pool::max_forward(simd, sizes, x, y))
}

/// `dx` = the sum of the `dy` of those windows in which it is the first of the largest; equal to
/// the plain twin's to the bit.
pub fn max_pool_backward<T: Real>(sizes: &Sizes, x: &[T], dx: &mut [T], dy: &[T]) -> Done {
    kernel!((x, dy), (dx): sizes.fit_pool(x, dy) && dx.len() == x.len(),
        simd => pool::max_backward(simd, sizes, x, dx, dy))
}

impl Sizes {
    /// Whether the slices have these sizes, and a filter steps and sees something.
    fn fit_conv(&self, x: &[f32], filters: &[f32], y: &[f32]) -> bool {
        let ([fh, fw], d, k) = (self.filter, self.x[2], self.y[2]);
        fit(x, &self.x)
            && fit(filters, &[fh, fw, d, k])
            && fit(y, &self.y)
            && !self.stride.contains(&0)
    }

    fn fit_pool(&self, x: &[f32], y: &[f32]) -> bool {
        fit(x, &self.x)
            && fit(y, &self.y)
            && self.x[2] == self.y[2]
            && !self.filter.contains(&0)
            && !self.stride.contains(&0)
    }
}

/// Whether `slice` has as many scalars as `axes` say, and one at least.
fn fit(slice: &[f32], axes: &[usize]) -> bool {
    let len = axes
        .iter()
        .try_fold(1usize, |len, &axis| len.checked_mul(axis));
    !slice.is_empty() && len == Some(slice.len())
}
