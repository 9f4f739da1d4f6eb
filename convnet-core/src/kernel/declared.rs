//! What a layer calls with its filters as they are declared: the lengths are checked, and the scalars
//! told to be `f32`.

use super::f32::winograd::training::Direction;
use super::f32::{conv, depthwise, fc, norm, pool, winograd};
use super::{Clamp, Done, MICRO_BATCH, Sizes, fit};
use crate::Real;

/// `y[oy][ox][k] = bias[k] + Σ x · filters[fy][fx][d][k]`, where d counts the depths of one group.
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

/// As [`conv_forward`], where sizes [are of scalars](Sizes::are_of_scalars): none is looked at again.
pub(crate) fn conv_of_scalars<T: Real>(
    sizes: &Sizes,
    x: &[T],
    [filters, bias]: [&[T]; 2],
    y: &mut [T],
) -> Done {
    as_f32!(x, filters, bias; y);
    let from = conv::Operands {
        sizes,
        x,
        filters,
        bias,
    };
    conv::scalar::conv(&from, y).is_some()
}

/// `dx[iy][ix][d] = Σ dy · filters[fy][fx][d][k]`.
pub fn conv_backward_input<T: Real>(sizes: &Sizes, dx: &mut [T], dy: &[T], filters: &[T]) -> Done {
    as_f32!(dy, filters; dx);
    let from = conv::input_grad::Operands { sizes, dy, filters };
    sizes.fit_conv(dx, filters, dy) && conv::input_grad::backward(&from, dx).is_some()
}

/// `d_filters[fy][fx][d][k] += Σ x · dy[oy][ox][k]` and `d_bias[k] += Σ dy[oy][ox][k]`.
pub fn conv_add_gradient<T: Real>(
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Done {
    as_f32!(x, dy; d_filters, d_bias);
    let from = conv::filter_grad::Operands { sizes, x, dy };
    sizes.fit_conv(x, d_filters, dy)
        && d_bias.len() == sizes.y[2]
        && conv::filter_grad::add_gradient(&from, d_filters, d_bias).is_some()
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

/// As [`depthwise_forward`], where sizes [are of scalars](Sizes::are_of_scalars): none is looked at again.
pub(crate) fn depthwise_of_scalars<T: Real>(
    sizes: &Sizes,
    x: &[T],
    [filters, bias]: [&[T]; 2],
    y: &mut [T],
) -> Done {
    as_f32!(x, filters, bias; y);
    let from = depthwise::Operands {
        sizes,
        x,
        filters,
        bias,
        clamp: Clamp::None,
    };
    depthwise::scalar::depthwise(&from, y).is_some()
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
        && depthwise::filter_grad::add_gradient(sizes, x, dy, d_filters, d_bias).is_some()
}

/// Scalars in which a convolution can work in training: what [`conv_forward_train`] and its two likes
/// ask for; 0 if there is nothing that would be faster than a direct sum.
#[must_use]
pub const fn conv_scratch(sizes: &Sizes) -> usize {
    winograd::training::scratch(sizes)
}

/// As [`conv_forward`], by Winograd's algorithm. `false` if that does not pay, or the scratch is too
/// short.
pub fn conv_forward_train<T: Real>(
    sizes: &Sizes,
    x: &[T],
    (filters, bias): (&[T], &[T]),
    scratch: &mut [T],
    y: &mut [T],
) -> Done {
    as_f32!(x, filters, bias; scratch, y);
    let winograd = winograd::training::choose(sizes, Direction::Forward);
    sizes.fit_conv(x, filters, y)
        && bias.len() == sizes.y[2]
        && winograd
            .and_then(|winograd| {
                let learned = (filters, bias);
                winograd::training::forward(sizes, winograd, x, learned, scratch, y)
            })
            .is_some()
}

/// As [`conv_backward_input`], by Winograd's algorithm. `false` as there.
pub fn conv_backward_input_train<T: Real>(
    sizes: &Sizes,
    dx: &mut [T],
    dy: &[T],
    filters: &[T],
    scratch: &mut [T],
) -> Done {
    as_f32!(dy, filters; scratch, dx);
    let winograd = winograd::training::choose(sizes, Direction::BackwardInput);
    sizes.fit_conv(dx, filters, dy)
        && winograd
            .and_then(|winograd| {
                winograd::training::backward_input(sizes, winograd, dy, filters, scratch, dx)
            })
            .is_some()
}

/// As [`conv_add_gradient`], by Winograd's algorithm. `false` as there.
pub fn conv_add_gradient_train<T: Real>(
    sizes: &Sizes,
    (x, dy): (&[T], &[T]),
    scratch: &mut [T],
    d_filters: &mut [T],
    d_bias: &mut [T],
) -> Done {
    as_f32!(x, dy; scratch, d_filters, d_bias);
    let winograd = winograd::training::choose(sizes, Direction::BackwardFilters);
    sizes.fit_conv(x, d_filters, dy)
        && d_bias.len() == sizes.y[2]
        && winograd
            .and_then(|winograd| {
                let volumes = (x, dy);
                winograd::filter_grad::add_gradient(
                    sizes, winograd, volumes, scratch, d_filters, d_bias,
                )
            })
            .is_some()
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
    from.fit(x.len()) && bias.len() == y.len() && fc::forward(&from, y).is_some()
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

/// As [`fc_forward`], for a few images: the filters are read once. The same to the bit.
pub fn fc_forward_batch<T: Real>(images: FcForward<'_, T>, filters: &[T], bias: &[T]) -> Done {
    as_f32!(filters, bias;);
    let from = fc::Operands {
        x: &[],
        filters,
        bfloat16: false,
        pitch: bias.len(),
        bias,
    };
    fc_singles(images, &from, Clamp::None)
}

/// The filters `from` there, for `images`.
pub(super) fn fc_singles<T: Real>(
    images: FcForward<'_, T>,
    from: &fc::Operands<'_>,
    clamp: Clamp,
) -> Done {
    let mut singles = [const { None }; MICRO_BATCH];
    for (to, (x, y)) in singles.iter_mut().zip(images.into_iter().flatten()) {
        as_f32!(x; y);
        if y.len() != from.bias.len() || !from.fit(x.len()) {
            return false;
        }
        *to = Some((x, y));
    }
    fc::batch::forward(&mut singles, from).is_some_and(|()| {
        for (_, y) in singles.iter_mut().flatten() {
            clamp.apply(y);
        }
        true
    })
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
    fc::batch::backward_input(&mut singles, filters, d_bias.len()).is_some()
        && fc::batch::add_gradient(&singles, d_filters, d_bias).is_some()
}

/// `y[oy][ox][d]` = the largest `x` of the window; equal to the plain twin's to the bit.
pub fn max_pool_forward<T: Real>(sizes: &Sizes, x: &[T], y: &mut [T]) -> Done {
    as_f32!(x; y);
    sizes.fit_pool(x, y) && pool::max_forward(sizes, x, y).is_some()
}

/// `dx` = the sum of the `dy` of those windows in which it is the first of the largest; equal to
/// the plain twin's to the bit. `false`, with `dx` written, if a window holds NaN.
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
