//! # Kernels: how to do it fast
//!
//! ```text
//! declared ─┐
//! packed ───┴─▶ f32          one function a kernel, generic over the vectors of an instruction set
//!     │          ├─▶ simd    level: which set, chosen at run time with `std`
//!     │          │           lanes: the widest of its vectors that fits the depth
//!     │          │           registers: how many it keeps, and the tiles cut from them
//!     │          └─▶ window  which taps meet the input; pixels that have the same are tiled together
//!     ├─▶ algorithm          which kernel computes a convolution whose filters are packed
//!     ├─▶ parts              packed ones on many threads: a part is a convolution of other sizes
//!     ├─▶ clamp              what follows the sums before they are stored
//!     └─▶ cache              how large caches are taken to be, for all of these
//!
//! i8                         the arithmetic of TensorFlow Lite, in plain loops
//! ```
//!
//! What a layer calls is in `declared` and `packed`. Read `f32::conv` first. Every function here has a
//! plain twin in [`layer`](crate::layer): the loops that say what is computed, and the specification.
//! Deleting a kernel changes speed only.
//!
//! **Invariant:** nothing is allocated, nothing panics, and the result depends on the level only:
//! each sum is taken in one order, whoever runs it. It differs from the plain twin's by rounding:
//! each of the two is within γ·Σ|x·w| of the exact sum, where γ = n·u/(1 − n·u), n is the number of
//! terms and u = 2⁻²⁴ (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, §3.1). For
//! Winograd's algorithm that bound is wider, by what [`Winograd`] says.
//!
//! NaN stays NaN: no clamp and no pool loses one, so that what a NaN in `x` reaches is NaN, as in the plain
//! twin; by Winograd's algorithm, the rest of a tile may be too. A NaN in a filter may also show where its
//! tap meets nothing but padding, which some kernels lay out as zeros.
//!
//! What else is slower than memory and easily vectorised by the compiler (optimizers, `lrn`,
//! `avg_pool`, the gradients of bent activations) has no kernel but its plain loops, compiled for each level: the
//! results are the same to the bit. The other activations, the rest of a batch norm, and global average
//! pools are as fast as memory when compiled for any.

use crate::Real;

/// The numbers of a sliding window, as the kernels take them; `[rows, columns(, depth)]`.
///
/// Any numbers may stand here: those that no volume could have, or whose products overflow, every
/// kernel declines.
///
/// Output `(oy, ox)` reads `filter` input rows from `oy·stride − before` on, one in `dilation`,
/// likewise columns; what lies outside the input is zero (for max pooling: is not there).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The input volume.
    pub x: [usize; 3],
    /// The filter.
    pub filter: [usize; 2],
    /// The stride.
    pub stride: [usize; 2],
    /// From one tap of the filter to the next. The kernels of this module only know 1.
    pub dilation: [usize; 2],
    /// Zeros above and left.
    pub before: [usize; 2],
    /// The output volume.
    pub y: [usize; 3],
    /// G, into how many parts depth and filters of a convolution are cut: filter k sees the depths of
    /// group k·G/K only. A pool's does not matter.
    pub groups: usize,
}

/// Sees slices of `T` as slices of `f32`, or returns `false`. What is called then is not generic,
/// so it is compiled once, with this crate, and not in every program that declares a network.
macro_rules! as_f32 {
    ($($read:ident),*; $($write:ident),*) => {
        $(let Some($read) = T::as_f32($read) else { return false };)*
        $(let Some($write) = T::as_f32_mut($write) else { return false };)*
    };
}

mod algorithm;
pub(crate) mod cache;
mod clamp;
mod declared;
mod estimate;
mod f32;
pub mod i8;
mod largest;
mod packed;
#[cfg(feature = "rayon")]
mod parts;
pub(crate) mod pieces;
mod simd;
#[cfg(feature = "rayon")]
pub(crate) mod tasks;
mod window;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Winograd};
pub use clamp::Clamp;
pub use declared::*;
pub(crate) use f32::exponential::{GELU_CUBE, GELU_STEEP};
pub use f32::exponential::{elu, exp, gelu, gelu_tanh, sigmoid, silu, tanh};
pub use f32::fc::batch::MICRO_BATCH;
#[cfg(vfp)]
pub(crate) use f32::vfp::hard_swish;
pub(crate) use largest::Windows;
pub use packed::*;
pub(crate) use simd::level::at_level;
pub use simd::level::{Width, level};
#[cfg(feature = "std")]
pub use simd::level::{levels, with_level};

/// Whether there was a kernel for `T`, the lengths and the target; if not, nothing was done, and
/// the caller does it plainly.
type Done = bool;

/// Whether there are vectors that the kernels know; where there are none, some have tiles of scalars.
pub(crate) const VECTORS: bool = cfg!(any(
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128"),
));

/// Whether a `T`, which is `f32` or `f64`, is an `f32` on a target without vectors.
pub(crate) const fn is_scalar<T: Real>() -> bool {
    !VECTORS && size_of::<T>() == size_of::<f32>()
}

impl Sizes {
    /// Whether tiles of scalars compute every `conv`, or `depthwise`, of these sizes, and of some of its rows: the
    /// plain twin is not linked then.
    pub(crate) const fn are_of_scalars<T: Real>(&self) -> bool {
        let [fh, fw] = self.filter;
        let is_depthwise = self.groups == self.x[2] && self.groups == self.y[2];
        // Each window sees a pixel.
        let sees = self.before[0] < fh && self.before[1] < fw;
        let steps = self.dilation[0] == 1 && self.dilation[1] == 1;
        let is_known = self.groups == 1 || is_depthwise;
        is_scalar::<T>() && sees && steps && is_known && self.are_of_a_conv()
    }

    /// The same of some rows of the output, and the row of the input at which they begin.
    pub(crate) fn rows(&self, rows: core::ops::Range<usize>) -> (Self, usize) {
        let ([height, width, depth], [before, left]) = (self.x, self.before);
        let top = rows.start * self.stride[0];
        let start = top.saturating_sub(before).min(height);
        let cut = Self {
            x: [height - start, width, depth],
            before: [before.saturating_sub(top), left],
            y: [rows.len(), self.y[1], self.y[2]],
            ..*self
        };
        (cut, start)
    }

    /// Whether each output sees the pixel in its own place and no other, as filters of 1x1 do.
    pub(crate) fn sees_pixels(&self) -> bool {
        let ([height, width, _], [ho, wo, _]) = (self.x, self.y);
        self.filter == [1, 1]
            && self.stride == [1, 1]
            && self.before == [0, 0]
            && [height, width] == [ho, wo]
    }

    /// The same pixels as one row, where each is [seen by itself](Self::sees_pixels).
    pub(crate) fn in_a_row(&self) -> Self {
        let in_a_row = |[height, width, depth]: [usize; 3]| [1, height * width, depth];
        Self {
            x: in_a_row(self.x),
            y: in_a_row(self.y),
            ..*self
        }
    }

    /// Whether each number is at least one, and every place that a kernel computes from them is a number:
    /// rows and columns as far as a window, a tile or a phase of the stride reaches, filters one stride
    /// further than there are, and all multiply-adds. Each scalar of x is
    /// multiplied by `filters` filters at each tap.
    ///
    /// **Invariant:** whatever takes sizes from outside asks this before it computes with them.
    const fn are_countable(&self, filters: usize) -> bool {
        // Room for the ends of tiles.
        const MOST: usize = usize::MAX / 16;
        let &Self {
            x: [height, width, depth],
            filter: [fh, fw],
            stride: [sy, sx],
            before: [top, left],
            y: [ho, wo, k],
            ..
        } = self;
        let rows = larger(height.saturating_add(top), end(ho, sy, fh));
        let columns = larger(width.saturating_add(left), end(wo, sx, fw));
        let taps = product(&[end(1, sy, fh), end(1, sx, fw), depth, filters]);
        let work = product(&[ho, wo, k, fh, fw]) as u128 * depth as u128;
        !has_zero(&[height, width, depth, fh, fw, sy, sx, ho, wo, k, filters])
            && product(&[rows, columns, depth]) <= MOST
            && product(&[ho, wo, k]) <= MOST
            && taps <= MOST
            && work <= (u64::MAX / 64) as u128
    }

    /// Whether a convolution has them: there are groups, which divide depth and filters, and each number
    /// [can be counted](Self::are_countable).
    const fn are_of_a_conv(&self) -> bool {
        let (d, k, groups) = (self.x[2], self.y[2], self.groups);
        groups > 0
            && d.is_multiple_of(groups)
            && k.is_multiple_of(groups)
            && self.are_countable(k / groups)
    }

    /// Scalars of a convolution's filters.
    const fn filters(&self) -> usize {
        let ([fh, fw], d, k) = (self.filter, self.x[2], self.y[2]);
        product(&[fh, fw, d / self.groups, k])
    }

    /// Whether the slices have these sizes, and a filter steps and sees something.
    fn fit_conv(&self, x: &[f32], filters: &[f32], y: &[f32]) -> bool {
        self.are_of_a_conv()
            && fit(x, &self.x)
            && filters.len() == self.filters()
            && fit(y, &self.y)
            && self.dilation == [1, 1]
    }

    fn fit_depthwise(&self, x: &[f32], filters: &[f32], y: &[f32]) -> bool {
        let [fh, fw] = self.filter;
        self.fit_pool(x, y) && fit(filters, &[fh, fw, self.y[2]])
    }

    fn fit_pool(&self, x: &[f32], y: &[f32]) -> bool {
        fit(x, &self.x)
            && fit(y, &self.y)
            && self.x[2] == self.y[2]
            && self.dilation == [1, 1]
            && self.are_countable(1)
    }
}

/// Whether `slice` has as many scalars as `axes` say, and one at least.
fn fit(slice: &[f32], axes: &[usize]) -> bool {
    !slice.is_empty() && product(axes) == slice.len()
}

/// The product, or the largest number.
const fn product(factors: &[usize]) -> usize {
    let (mut product, mut i) = (1usize, 0);
    while i < factors.len() {
        product = product.saturating_mul(factors[i]);
        i += 1;
    }
    product
}

/// `n·step + more`, or the largest number.
const fn end(n: usize, step: usize, more: usize) -> usize {
    n.saturating_mul(step).saturating_add(more)
}

const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

const fn has_zero(numbers: &[usize]) -> bool {
    let mut i = 0;
    while i < numbers.len() {
        if numbers[i] == 0 {
            return true;
        }
        i += 1;
    }
    false
}
