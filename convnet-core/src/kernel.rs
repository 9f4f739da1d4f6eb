//! # Kernels: how to do it fast
//!
//! ```text
//! conv, conv_input, conv_filters, fc, pool     one function each, generic over
//! norm                                         the same for batch norm's gradient on its input
//! depthwise, depthwise_filters                 the same for one filter a depth slice
//! grouped                                      conv's forward, in groups; backward takes conv's
//! fc_batch                                     fc, for a few images at once
//! strips, rows, winograd                       the same for packed filters; algorithm chooses one
//!         └─▶ tile ◀── the registers that direct sums and Winograd's products share
//!         └─▶ lanes ◀── widest vector that fits the depth
//!         └─▶ window ◀── which taps meet the input; pixels that have the same are tiled together
//! bfloat16 ─▶ fc's filters in half the bytes
//! parts ─▶ the packed ones on many threads: a part is a convolution of other sizes
//! level ─▶ instruction set, chosen at run time with `std`
//! ```
//!
//! Read `conv` first. Every function here has a plain twin in [`layer`](crate::layer): the loops
//! that say what is computed, and the specification. Deleting a kernel changes speed only.
//!
//! **Invariant:** nothing is allocated, nothing panics, and the result depends on the level only:
//! each sum is taken in one order, whoever runs it. It differs from the plain twin's by rounding:
//! each of the two is within γ·Σ|x·w| of the exact sum, where γ = n·u/(1 − n·u), n is the number of
//! terms and u = 2⁻²⁴ (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, §3.1). For
//! Winograd's algorithm that bound is wider, by what [`Winograd`] says.
//!
//! What else is slower than memory and easily vectorised by the compiler (optimizers, `lrn`,
//! `avg_pool`, `hard_swish`'s gradient) has no kernel but its plain loops, compiled for each level: the results are
//! the same to the bit. The other activations, the rest of a batch norm, and global average pools are as
//! fast as memory when compiled for any.

use crate::Real;

/// The numbers of a sliding window, as the kernels take them; `[rows, columns(, depth)]`.
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
}

mod algorithm;
mod bfloat16;
mod clamp;
mod conv;
mod conv_filters;
mod conv_input;
mod depthwise;
mod depthwise_filters;
mod fc;
mod fc_batch;
mod grouped;
mod lanes;
mod level;
mod norm;
#[cfg(feature = "rayon")]
mod parts;
mod pool;
mod rows;
mod scalar;
mod strips;
mod tile;
mod window;
mod winograd;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Winograd};
pub use clamp::Clamp;
pub use fc_batch::MICRO_BATCH;
pub(crate) use level::at_level;
pub use level::level;
#[cfg(feature = "std")]
pub use level::{levels, with_level};

/// Whether there was a kernel for `T`, the lengths and the target; if not, nothing was done, and
/// the caller does it plainly.
type Done = bool;

/// Sees slices of `T` as slices of `f32`, or returns `false`. What is called then is not generic,
/// so it is compiled once, with this crate, and not in every program that declares a network.
macro_rules! as_f32 {
    ($($read:ident),*; $($write:ident),*) => {
        $(let Some($read) = T::as_f32($read) else { return false };)*
        $(let Some($write) = T::as_f32_mut($write) else { return false };)*
    };
}

/// `y[oy][ox][k] = bias[k] + Σ x · filters[fy][fx][d][k]`.
pub fn conv_forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    filters: &[T],
    bias: &[T],
    y: &mut [T],
) -> Done {
    as_f32!(x, filters, bias; y);
    sizes.fit_conv(x, filters, y)
        && bias.len() == sizes.y[2]
        && conv::forward(
            &conv::Operands {
                sizes,
                x,
                filters,
                bias,
            },
            y,
        )
        .is_some()
}

/// A convolution whose filters were packed by [`conv_pack`], and what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a, T> {
    /// Its sizes.
    pub sizes: &'a Sizes,
    /// What the filters were packed for.
    pub algorithm: Algorithm,
    /// The packed filters: [`Algorithm::packed`] scalars; for [`Algorithm::Direct`] all filters,
    /// in the order in which they are declared.
    pub packed: &'a [T],
    /// One number a filter.
    pub bias: &'a [T],
    /// What follows; NaN stays NaN.
    pub clamp: Clamp,
    /// On how many threads at most, if there are several (the feature `rayon`), and scratch for each.
    pub threads: usize,
}

/// Packs filters as `algorithm` needs them, each times its `scale`, of which there is one a filter or
/// none.
pub fn conv_pack<T: Real>(
    sizes: &Sizes,
    algorithm: Algorithm,
    filters: &[T],
    scale: &[T],
    packed: &mut [T],
) -> Done {
    as_f32!(filters, scale; packed);
    let ([fh, fw], d, k) = (sizes.filter, sizes.x[2], sizes.y[2]);
    if !fit(filters, &[fh, fw, d, k])
        || !algorithm.fits(sizes, packed)
        || ![0, k].contains(&scale.len())
    {
        return false;
    }
    let scale = Scale(scale);
    match algorithm {
        Algorithm::Direct => scale.pack(filters, packed),
        Algorithm::Strips => strips::pack(sizes, filters, scale, packed),
        Algorithm::Rows => rows::pack(sizes, filters, scale, packed),
        Algorithm::Winograd(winograd) => winograd::pack(sizes, winograd, filters, scale, packed),
        Algorithm::Bfloat16 => return false,
    }
    true
}

/// The filters of a layer that has no algorithms to choose from, each times its `scale`.
pub fn scale_filters<T: Real>(filters: &[T], scale: &[T], packed: &mut [T]) -> Done {
    as_f32!(filters, scale; packed);
    Scale(scale).pack(filters, packed);
    true
}

/// The filters of an `fc` of `k`, each times its `scale`.
pub fn fc_pack<T: Real>(
    k: usize,
    algorithm: Algorithm,
    filters: &[T],
    scale: &[T],
    packed: &mut [T],
) -> Done {
    if algorithm != Algorithm::Bfloat16 {
        return scale_filters(filters, scale, packed);
    }
    as_f32!(filters, scale; packed);
    if k > 0 {
        bfloat16::pack(k, filters, Scale(scale), packed);
    }
    k > 0
}

/// What filters are multiplied by: one number each, or nothing.
#[derive(Clone, Copy)]
struct Scale<'a>(&'a [f32]);

impl Scale<'_> {
    fn of(self, k: usize) -> f32 {
        self.0.get(k).copied().unwrap_or(1.0)
    }

    /// The filters in the order in which they are declared.
    fn pack(self, filters: &[f32], packed: &mut [f32]) {
        packed.copy_from_slice(filters);
        if !self.0.is_empty() {
            for row in packed.chunks_exact_mut(self.0.len()) {
                row.iter_mut()
                    .zip(self.0)
                    .for_each(|(w, scale)| *w *= scale);
            }
        }
    }
}

/// As [`conv_forward`], with packed filters and [`Algorithm::scratch`] scalars to work in.
pub fn conv_forward_packed<T: Real>(
    from: &Packed<'_, T>,
    x: &[T],
    scratch: &mut [T],
    y: &mut [T],
) -> Done {
    as_f32!(x; scratch, y);
    let Some(from) = from.as_f32() else {
        return false;
    };
    #[cfg(feature = "rayon")]
    let forward = parts::forward;
    #[cfg(not(feature = "rayon"))]
    let forward = run;
    from.fits(x, scratch) && fit(y, &from.sizes.y) && forward(&from, x, scratch, y).is_some()
}

/// As [`conv_forward_packed`], on this thread; what is asked there was asked.
fn run(from: &Packed<'_, f32>, x: &[f32], scratch: &mut [f32], y: &mut [f32]) -> Option<()> {
    match from.algorithm {
        Algorithm::Direct => {
            let done = conv::forward(
                &conv::Operands {
                    sizes: from.sizes,
                    x,
                    filters: from.packed,
                    bias: from.bias,
                },
                y,
            );
            done.inspect(|()| from.clamp.apply(y))
        }
        Algorithm::Strips => strips::forward(from, x, y),
        Algorithm::Rows => rows::forward(from, None, x, scratch, y),
        Algorithm::Winograd(tile) => winograd::forward(from, tile, x, scratch, y),
        Algorithm::Bfloat16 => None,
    }
}

/// The largest of each window of what [`conv_forward_packed`] would compute, and without that in
/// between: a row is pooled as soon as it is there. For [`Algorithm::Rows`] only, and pools that
/// look at 3 rows at most.
pub fn conv_pool_forward_packed<T: Real>(
    from: &Packed<'_, T>,
    pool: &Sizes,
    x: &[T],
    scratch: &mut [T],
    y: &mut [T],
) -> Done {
    as_f32!(x; scratch, y);
    let Some(from) = from.as_f32() else {
        return false;
    };
    from.fits(x, scratch)
        && from.algorithm.pools(pool)
        && fit(y, &pool.y)
        && pool.x == from.sizes.y
        && pool.y[2] == pool.x[2]
        && rows::forward(&from, Some(pool), x, scratch, y).is_some()
}

impl<'a, T: Real> Packed<'a, T> {
    fn as_f32(&self) -> Option<Packed<'a, f32>> {
        Some(Packed {
            sizes: self.sizes,
            algorithm: self.algorithm,
            packed: T::as_f32(self.packed)?,
            bias: T::as_f32(self.bias)?,
            clamp: self.clamp,
            threads: self.threads,
        })
    }
}

impl Packed<'_, f32> {
    /// Whether all lengths are what the sizes say, but for the output's.
    fn fits(&self, x: &[f32], scratch: &[f32]) -> bool {
        let &Self {
            sizes,
            algorithm,
            packed,
            bias,
            ..
        } = self;
        fit(x, &sizes.x)
            && !sizes.stride.contains(&0)
            && sizes.dilation == [1, 1]
            && bias.len() == sizes.y[2]
            && algorithm.fits(sizes, packed)
            && scratch.len() >= algorithm.scratch(sizes)
    }
}

/// As [`conv_forward`] in `groups`: `filters[fy][fx][d][k]`, where d counts the depths of one group,
/// and filter k sees those of group k·groups/K.
pub fn grouped_conv_forward<T: Real>(
    sizes: &Sizes,
    groups: usize,
    x: &[T],
    (filters, bias): (&[T], &[T]),
    y: &mut [T],
) -> Done {
    as_f32!(x, filters, bias; y);
    let from = grouped::Operands {
        sizes,
        groups,
        x,
        filters,
        bias,
    };
    sizes.fit_grouped(groups, x, filters, y)
        && bias.len() == sizes.y[2]
        && grouped::forward(&from, y).is_some()
}

/// As [`conv_backward_input`] in `groups`.
pub fn grouped_conv_backward_input<T: Real>(
    sizes: &Sizes,
    groups: usize,
    dx: &mut [T],
    dy: &[T],
    filters: &[T],
) -> Done {
    as_f32!(dy, filters; dx);
    let from = conv_input::Operands {
        sizes,
        groups,
        dy,
        filters,
    };
    sizes.fit_grouped(groups, dx, filters, dy) && conv_input::backward(&from, dx).is_some()
}

/// As [`conv_add_gradient`] in `groups`.
pub fn grouped_conv_add_gradient<T: Real>(
    sizes: &Sizes,
    groups: usize,
    x: &[T],
    dy: &[T],
    (d_filters, d_bias): (&mut [T], &mut [T]),
) -> Done {
    as_f32!(x, dy; d_filters, d_bias);
    let from = conv_filters::Operands {
        sizes,
        groups,
        x,
        dy,
    };
    sizes.fit_grouped(groups, x, d_filters, dy)
        && d_bias.len() == sizes.y[2]
        && conv_filters::add_gradient(&from, d_filters, d_bias).is_some()
}

/// `y[oy][ox][d] = bias[d] + Σ x · filters[fy][fx][d]`, and the clamp of that.
pub fn depthwise_forward<T: Real>(
    sizes: &Sizes,
    x: &[T],
    (filters, bias): (&[T], &[T]),
    clamp: Clamp,
    y: &mut [T],
) -> Done {
    as_f32!(x, filters, bias; y);
    let from = depthwise::Operands {
        sizes,
        x,
        filters,
        bias,
        clamp,
    };
    sizes.fit_depthwise(x, filters, y)
        && bias.len() == sizes.y[2]
        && depthwise::forward(&from, y).is_some()
}

/// `dx[iy][ix][d] = Σ dy · filters[fy][fx][d]`.
pub fn depthwise_backward_input<T: Real>(
    sizes: &Sizes,
    dx: &mut [T],
    dy: &[T],
    filters: &[T],
) -> Done {
    as_f32!(dy, filters; dx);
    sizes.fit_depthwise(dx, filters, dy)
        && depthwise::backward_input(sizes, dx, dy, filters).is_some()
}

/// `d_filters[fy][fx][d] += Σ x · dy[oy][ox][d]` and `d_bias[d] += Σ dy[oy][ox][d]`.
pub fn depthwise_add_gradient<T: Real>(
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Done {
    as_f32!(x, dy; d_filters, d_bias);
    sizes.fit_depthwise(x, d_filters, dy)
        && d_bias.len() == sizes.y[2]
        && depthwise_filters::add_gradient(sizes, x, dy, d_filters, d_bias).is_some()
}

/// `dx[iy][ix][d] = Σ dy · filters[fy][fx][d][k]`.
pub fn conv_backward_input<T: Real>(sizes: &Sizes, dx: &mut [T], dy: &[T], filters: &[T]) -> Done {
    grouped_conv_backward_input(sizes, 1, dx, dy, filters)
}

/// `d_filters[fy][fx][d][k] += Σ x · dy[oy][ox][k]` and `d_bias[k] += Σ dy[oy][ox][k]`.
pub fn conv_add_gradient<T: Real>(
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Done {
    grouped_conv_add_gradient(sizes, 1, x, dy, (d_filters, d_bias))
}

/// `y[k] = bias[k] + Σ x[n] · filters[n][k]`.
pub fn fc_forward<T: Real>(x: &[T], filters: &[T], bias: &[T], y: &mut [T]) -> Done {
    as_f32!(x, filters, bias; y);
    let from = fc::Operands {
        x,
        filters,
        bfloat16: false,
        pitch: y.len(),
        bias,
    };
    fit(filters, &[x.len(), y.len()]) && bias.len() == y.len() && fc::forward(&from, y).is_some()
}

/// As [`fc_forward`], with filters packed by [`fc_pack`], and what follows it.
pub fn fc_forward_packed<T: Real>(from: &Packed<'_, T>, x: &[T], y: &mut [T]) -> Done {
    as_f32!(x; y);
    let Some(packed) = from.as_f32() else {
        return false;
    };
    let bfloat16 = packed.algorithm == Algorithm::Bfloat16;
    let from = fc::Operands {
        x,
        filters: packed.packed,
        bfloat16,
        pitch: y.len(),
        bias: packed.bias,
    };
    let rows = if bfloat16 {
        x.len().div_ceil(2)
    } else {
        x.len()
    };
    #[cfg(feature = "rayon")]
    let forward = |from: &_, y: &mut _| parts::fc(from, packed.threads, y);
    #[cfg(not(feature = "rayon"))]
    let forward = fc::forward;
    fit(from.filters, &[rows, y.len()])
        && from.bias.len() == y.len()
        && forward(&from, y).is_some_and(|()| {
            packed.clamp.apply(y);
            true
        })
}

/// `dx[n] = Σ dy[k] · filters[n][k]`.
pub fn fc_backward_input<T: Real>(dx: &mut [T], dy: &[T], filters: &[T]) -> Done {
    as_f32!(dy, filters; dx);
    fit(filters, &[dx.len(), dy.len()]) && fc::backward_input(dx, dy, filters).is_some()
}

/// `d_filters[n][k] += x[n] · dy[k]` and `d_bias[k] += dy[k]`.
pub fn fc_add_gradient<T: Real>(x: &[T], dy: &[T], d_filters: &mut [T], d_bias: &mut [T]) -> Done {
    as_f32!(x, dy; d_filters, d_bias);
    fit(d_filters, &[x.len(), dy.len()])
        && d_bias.len() == dy.len()
        && fc::add_gradient(x, dy, d_filters, d_bias).is_some()
}

/// x and y of images, as an `fc` sees them forward.
pub type FcForward<'a, T> = [Option<(&'a [T], &'a mut [T])>; MICRO_BATCH];

/// x, dy and, where it is asked for, dx of images, as an `fc` sees them backward.
pub type FcBackward<'a, T> = [Option<(&'a [T], &'a [T], Option<&'a mut [T]>)>; MICRO_BATCH];

/// As [`fc_forward`], for a few images: the filters are read once.
pub fn fc_forward_batch<T: Real>(images: FcForward<'_, T>, filters: &[T], bias: &[T]) -> Done {
    as_f32!(filters, bias;);
    let mut singles = [const { None }; MICRO_BATCH];
    for (to, (x, y)) in singles.iter_mut().zip(images.into_iter().flatten()) {
        as_f32!(x; y);
        if y.len() != bias.len() || !fit(filters, &[x.len(), y.len()]) {
            return false;
        }
        *to = Some((x, y));
    }
    fc_batch::forward(&mut singles, filters, bias).is_some()
}

/// As [`fc_backward_input`] and [`fc_add_gradient`], for a few images: the filters are read once, and
/// their gradient is read and written once.
pub fn fc_backward_batch<T: Real>(
    images: FcBackward<'_, T>,
    filters: &[T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Done {
    as_f32!(filters; d_filters, d_bias);
    let mut singles = [const { None }; MICRO_BATCH];
    for (to, (x, dy, dx)) in singles.iter_mut().zip(images.into_iter().flatten()) {
        as_f32!(x, dy;);
        let dx = match dx.map(T::as_f32_mut) {
            Some(None) => return false,
            Some(dx) => dx,
            None => None,
        };
        if dy.len() != d_bias.len()
            || !fit(filters, &[x.len(), dy.len()])
            || d_filters.len() != filters.len()
            || dx.as_ref().is_some_and(|dx| dx.len() != x.len())
        {
            return false;
        }
        *to = Some((x, dy, dx));
    }
    fc_batch::backward_input(&mut singles, filters, d_bias.len()).is_some()
        && fc_batch::add_gradient(&singles, d_filters, d_bias).is_some()
}

/// `y[oy][ox][d]` = the largest `x` of the window; equal to the plain twin's to the bit.
pub fn max_pool_forward<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) -> Done {
    as_f32!(x; y);
    sizes.fit_pool(x, y) && pool::max_forward(sizes, x, y).is_some()
}

/// `dx` = the sum of the `dy` of those windows in which it is the first of the largest; equal to
/// the plain twin's to the bit.
pub fn max_pool_backward<T: Real>(sizes: &Sizes, x: &[T], dx: &mut [T], dy: &[T]) -> Done {
    as_f32!(x, dy; dx);
    sizes.fit_pool(x, dy) && dx.len() == x.len() && pool::max_backward(sizes, x, dx, dy).is_some()
}

/// `dx[d] = scale[d]·((dy[d] − of_dy[d]) − (x[d] − mean[d])·slope[d])` of every pixel, for as many depth
/// slices as the four have numbers, from `start` on, of `depth`; equal to the plain twin's to the bit.
pub fn norm_backward<T: Real, const L: usize>(
    [depth, start]: [usize; 2],
    [scale, of_dy, mean, slope]: [&[T; L]; 4],
    x: &[T],
    dy: &[T],
    dx: &mut [T],
) -> Done {
    let [scale, of_dy, mean, slope] = [scale, of_dy, mean, slope].map(|of| &of[..]);
    as_f32!(scale, of_dy, mean, slope, x, dy; dx);
    let by = norm::Slope {
        depth,
        start,
        of: [scale, of_dy, mean, slope],
    };
    L > 0
        && depth.checked_sub(start).is_some_and(|rest| rest >= L)
        && x.len() == dx.len()
        && dy.len() == dx.len()
        && norm::backward(&by, x, dy, dx).is_some()
}

impl Sizes {
    /// The same of some rows of the output, and the row of the input at which they begin.
    pub(crate) fn rows(&self, rows: core::ops::Range<usize>) -> (Self, usize) {
        let ([height, width, depth], [before, left]) = (self.x, self.before);
        let top = rows.start * self.stride[0];
        let start = top.saturating_sub(before).min(height);
        let part = Self {
            x: [height - start, width, depth],
            before: [before.saturating_sub(top), left],
            y: [rows.len(), self.y[1], self.y[2]],
            ..*self
        };
        (part, start)
    }

    /// Whether the slices have these sizes, and a filter steps and sees something.
    fn fit_conv(&self, x: &[f32], filters: &[f32], y: &[f32]) -> bool {
        self.fit_grouped(1, x, filters, y)
    }

    /// As [`fit_conv`](Self::fit_conv), and there are groups, which divide depth and filters.
    fn fit_grouped(&self, groups: usize, x: &[f32], filters: &[f32], y: &[f32]) -> bool {
        let ([fh, fw], d, k) = (self.filter, self.x[2], self.y[2]);
        groups > 0
            && d.is_multiple_of(groups)
            && k.is_multiple_of(groups)
            && fit(x, &self.x)
            && fit(filters, &[fh, fw, d / groups, k])
            && fit(y, &self.y)
            && !self.stride.contains(&0)
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
            && !self.filter.contains(&0)
            && !self.stride.contains(&0)
            && self.dilation == [1, 1]
    }
}

/// Whether `slice` has as many scalars as `axes` say, and one at least.
fn fit(slice: &[f32], axes: &[usize]) -> bool {
    let len = axes
        .iter()
        .try_fold(1usize, |len, &axis| len.checked_mul(axis));
    !slice.is_empty() && len == Some(slice.len())
}
