//! Fully connected, for a few images at once: the filters, and their gradient, pass through the memory
//! once for all of them.
//!
//! ```text
//!            k ──▶
//!          ┌──────┬──────┬───────┐    forward: a piece of the filters, 8 rows of some columns, stays
//!  n       │ ░░░░ │      │       │    in the first-level cache; the images go over it one by one, as fc
//!  │       ├──────┼──────┼───────┤    does over all of them
//!  ▼       │      │      │       │    backward, dx: 4 rows against 2 images, as sums in registers
//!          └──────┴──────┴───────┘    gradient: a row of some columns, to which 4 images are added
//!                                     before it is written
//! ```

use core::ops::Range;

use fearless_simd::Simd;

use super::{Operands, add_block, add_rows, dot};
use crate::kernel::cache::{L1, scalars};
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;

/// How many images are computed together, at most.
pub const MICRO_BATCH: usize = 8;

/// x and y of each image.
pub(crate) type Forward<'a> = [Option<(&'a [f32], &'a mut [f32])>; MICRO_BATCH];

/// x, dy and, if it is asked for, dx of each image.
pub(crate) type Backward<'a> = [Option<(&'a [f32], &'a [f32], Option<&'a mut [f32]>)>; MICRO_BATCH];

/// `y[k] = bias[k] + Σ x[n] · filters[n][k]`, image by image, as [`fc::forward`](super::forward)
/// does, to the bit; `from` has no x.
#[inline(never)]
pub(crate) fn forward(images: &mut Forward, from: &Operands) -> Option<()> {
    for (_, y) in images.iter_mut().flatten() {
        y.iter_mut().zip(from.bias).for_each(|(y, bias)| *y = *bias);
    }
    dispatch!(simd => forward_with(simd, images, from))
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, images: &mut Forward, from: &Operands) -> Option<()> {
    widest!(simd: S, from.pitch, add_images_rows(images, from))
}

#[inline(always)]
fn add_images_rows<S: Simd, V: Lanes<S>>(
    simd: S,
    images: &mut Forward,
    from: &Operands,
) -> Option<()> {
    if from.is_narrow::<S, V>() {
        for (x, y) in images.iter_mut().flatten() {
            add_rows::<S, V>(simd, &Operands { x, ..*from }, y)?;
        }
        return Some(());
    }
    match from.bfloat16 {
        true => add_pieces::<S, V, 2>(simd, images, from),
        false => add_pieces::<S, V, 1>(simd, images, from),
    }
}

/// Piece by piece of the filters, of which each holds so many.
#[inline(always)]
fn add_pieces<S: Simd, V: Lanes<S>, const HELD: usize>(
    simd: S,
    images: &mut Forward,
    &Operands { filters, pitch, .. }: &Operands,
) -> Option<()> {
    const ROWS: usize = 8;
    let n = images.iter().flatten().next()?.0.len();
    let (whole, mut at) = (n / HELD, 0);
    while at < n.div_ceil(HELD) {
        let rows = if at + ROWS > whole { 1 } else { ROWS };
        for columns in columns(pitch) {
            let piece = filters.get(at * pitch + columns.start..)?;
            for (x, y) in images.iter_mut().flatten() {
                let (x, y) = (x.get(at * HELD..)?, y.get_mut(columns.clone())?);
                if rows == ROWS {
                    let x = x.as_chunks().0.first_chunk()?;
                    add_block::<S, V, ROWS, HELD>(simd, x, piece, pitch, y)?;
                } else {
                    // There may be less than the last row holds.
                    let mut held = [0.0; HELD];
                    for (to, x) in held.iter_mut().zip(x) {
                        *to = *x;
                    }
                    add_block::<S, V, 1, HELD>(simd, &[held], piece, pitch, y)?;
                }
            }
        }
        at += rows;
    }
    Some(())
}

/// `dx[n] = Σ dy[k] · filters[n][k]`, image by image.
#[inline(never)]
pub(crate) fn backward_input(images: &mut Backward, filters: &[f32], k: usize) -> Option<()> {
    dispatch!(simd => backward_with(simd, images, filters, k))
}

#[inline(always)]
fn backward_with<S: Simd>(simd: S, images: &mut Backward, filters: &[f32], k: usize) -> Option<()> {
    widest!(simd: S, k, dots(images, filters, k))
}

#[inline(always)]
fn dots<S: Simd, V: Lanes<S>>(
    simd: S,
    images: &mut Backward,
    filters: &[f32],
    k: usize,
) -> Option<()> {
    const ROWS: usize = 4;
    let (n, mut at) = (filters.len() / k, 0);
    while at < n {
        let rows = filters.get(at * k..)?;
        if n - at < ROWS {
            dots_of::<S, V, 1>(simd, images, rows, at)?;
            at += 1;
        } else {
            dots_of::<S, V, ROWS>(simd, images, rows, at)?;
            at += ROWS;
        }
    }
    Some(())
}

/// As [`dots`], for `dx[at..at + R]`.
#[inline(always)]
fn dots_of<S: Simd, V: Lanes<S>, const R: usize>(
    simd: S,
    images: &mut Backward,
    rows: &[f32],
    at: usize,
) -> Option<()> {
    for pair in images.as_chunks_mut::<2>().0 {
        if let [Some((_, a, Some(da))), Some((_, b, Some(db)))] = pair {
            let sums = dot::<S, V, R, 2>(simd, [a, b], rows)?;
            *da.get_mut(at..)?.first_chunk_mut()? = sums[0];
            *db.get_mut(at..)?.first_chunk_mut()? = sums[1];
            continue;
        }
        for (_, dy, dx) in pair.iter_mut().flatten() {
            if let Some(dx) = dx {
                let sums = dot::<S, V, R, 1>(simd, [dy], rows)?;
                *dx.get_mut(at..)?.first_chunk_mut()? = sums[0];
            }
        }
    }
    Some(())
}

/// `d_filters[n][k] += Σ x[n] · dy[k]` and `d_bias[k] += Σ dy[k]`, over the images.
#[inline(never)]
pub(crate) fn add_gradient(
    images: &Backward,
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    let (mut xs, mut dys) = ([&[][..]; MICRO_BATCH], [&[][..]; MICRO_BATCH]);
    let mut count = 0;
    for (&(x, dy, _), to) in images.iter().flatten().zip(xs.iter_mut().zip(&mut dys)) {
        *to.0 = x;
        *to.1 = dy;
        count += 1;
    }
    let (xs, dys) = (xs.get(..count)?, dys.get(..count)?);
    let k = d_bias.len();
    dispatch!(simd => gradient_with(simd, xs, dys, d_filters, k))?;
    for dy in dys {
        d_bias.iter_mut().zip(*dy).for_each(|(sum, dy)| *sum += dy);
    }
    Some(())
}

#[inline(always)]
fn gradient_with<S: Simd>(
    simd: S,
    xs: &[&[f32]],
    dys: &[&[f32]],
    d_filters: &mut [f32],
    k: usize,
) -> Option<()> {
    widest!(simd: S, k, add_outer(xs, dys, d_filters, k))
}

#[inline(always)]
fn add_outer<S: Simd, V: Lanes<S>>(
    simd: S,
    xs: &[&[f32]],
    dys: &[&[f32]],
    d_filters: &mut [f32],
    k: usize,
) -> Option<()> {
    for columns in columns(k) {
        for (n, row) in d_filters.chunks_exact_mut(k).enumerate() {
            let row = row.get_mut(columns.clone())?;
            let at = (n, &columns);
            let ((xs, last_xs), (dys, last_dys)) = (xs.as_chunks(), dys.as_chunks());
            for (xs, dys) in xs.iter().zip(dys) {
                add_images::<S, V, 4>(simd, xs, dys, at, row)?;
            }
            let ((xs, last_xs), (dys, last_dys)) = (last_xs.as_chunks(), last_dys.as_chunks());
            for (xs, dys) in xs.iter().zip(dys) {
                add_images::<S, V, 2>(simd, xs, dys, at, row)?;
            }
            for (&x, &dy) in last_xs.iter().zip(last_dys) {
                add_images::<S, V, 1>(simd, &[x], &[dy], at, row)?;
            }
        }
    }
    Some(())
}

/// Adds to `row`, which is that of input `n`, some `columns` of it.
#[inline(always)]
fn add_images<S: Simd, V: Lanes<S>, const I: usize>(
    simd: S,
    xs: &[&[f32]; I],
    dys: &[&[f32]; I],
    (n, columns): (usize, &Range<usize>),
    row: &mut [f32],
) -> Option<()> {
    let (mut x, mut dy) = ([V::splat(simd, 0.0); I], [&[][..]; I]);
    for i in 0..I {
        x[i] = V::splat(simd, *xs[i].get(n)?);
        dy[i] = dys[i].get(columns.clone())?;
    }
    let (k, last) = (row.len(), row.len().checked_sub(V::LEN)?);
    if dy.iter().any(|dy| dy.len() != k) {
        return None;
    }
    for at in (0..k).step_by(V::LEN) {
        // The last vector ends at the last filter; lanes already summed are dropped.
        let from = at.min(last);
        let mut sum = V::splat(simd, 0.0);
        for i in 0..I {
            // SAFETY: from + LEN <= last + LEN = k = dy[i].len().
            let dy = unsafe { V::load_unchecked(simd, dy[i], from) };
            sum = x[i].mul_add(dy, sum);
        }
        if from < at {
            sum = sum.clear_below(at - from);
        }
        V::load(simd, row, from)?.add(sum).store(row, from);
    }
    Some(())
}

/// The columns of `k`, in pieces of which 8 rows fill half of the first-level cache; the last one may be
/// twice as wide, and never is narrower.
fn columns(k: usize) -> impl Iterator<Item = Range<usize>> {
    const COLUMNS: usize = scalars::<f32>(L1 / 2) / 8;
    let pieces = (k / COLUMNS).max(1);
    (0..pieces).map(move |i| {
        let end = if i + 1 == pieces {
            k
        } else {
            (i + 1) * COLUMNS
        };
        i * COLUMNS..end
    })
}
