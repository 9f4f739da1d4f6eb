//! Fully connected: the memory bandwidth decides, so the weights are read once.
//!
//! ```text
//!   x[n]   ──▶ ├──────── filters[n] ────────┤       forward: y += x[n] · filters[n], 8 rows at a
//!   x[n+1] ──▶ ├──────── filters[n+1] ──────┤       time; where K is small, y stays in registers
//!        …                                          backward: dx[n] = dy · filters[n], 4 rows at a
//!              ├──────── y or dy ───────────┤       time
//! ```

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::lanes::{Lanes, widest};
use super::level::dispatch;

#[inline(never)]
pub(super) fn forward(x: &[f32], filters: &[f32], bias: &[f32], y: &mut [f32]) -> Option<()> {
    y.iter_mut().zip(bias).for_each(|(y, bias)| *y = *bias);
    dispatch!(simd => forward_with(simd, x, filters, y))
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, x: &[f32], filters: &[f32], y: &mut [f32]) -> Option<()> {
    widest!(simd: S, y.len(), add_rows(x, filters, y))
}

/// `y[k] += Σ x[n] · filters[n][k]`
#[inline(always)]
fn add_rows<S: Simd, V: Lanes<S>>(
    simd: S,
    x: &[f32],
    filters: &[f32],
    y: &mut [f32],
) -> Option<()> {
    const ROWS: usize = 8;
    let k = y.len();
    if k <= 8 * V::LEN {
        return add_columns::<S, V>(simd, x, filters, y);
    }
    let (blocks, rest) = x.as_chunks::<ROWS>();
    let mut rows = filters;
    for x in blocks {
        add_block::<S, V, ROWS>(simd, x, rows, y)?;
        rows = rows.get(ROWS * k..)?;
    }
    for &x in rest {
        add_block::<S, V, 1>(simd, &[x], rows, y)?;
        rows = rows.get(k..)?;
    }
    Some(())
}

#[inline(always)]
fn add_block<S: Simd, V: Lanes<S>, const R: usize>(
    simd: S,
    x: &[f32; R],
    rows: &[f32],
    y: &mut [f32],
) -> Option<()> {
    let k = y.len();
    for at in (0..k).step_by(V::LEN) {
        // The last vector ends at the last filter; lanes already summed are dropped.
        let from = at.min(k - V::LEN);
        let mut sum = V::splat(simd, 0.0);
        for r in 0..R {
            sum = V::splat(simd, x[r]).mul_add(V::load(simd, rows, r * k + from)?, sum);
        }
        if from < at {
            sum = sum.clear_below(at - from);
        }
        V::load(simd, y, from)?.add(sum).store(y, from);
    }
    Some(())
}

/// As [`add_rows`], a vector of filters at a time; every fourth row goes to the same register, so
/// that an addition need not wait for the one before.
#[inline(always)]
fn add_columns<S: Simd, V: Lanes<S>>(
    simd: S,
    x: &[f32],
    filters: &[f32],
    y: &mut [f32],
) -> Option<()> {
    const ROWS: usize = 4;
    let k = y.len();
    let (blocks, rest) = x.as_chunks::<ROWS>();
    for at in (0..k).step_by(V::LEN) {
        let from = at.min(k - V::LEN);
        let mut sums = [V::splat(simd, 0.0); ROWS];
        let mut row = from;
        for x in blocks {
            for r in 0..ROWS {
                sums[r] = V::splat(simd, x[r]).mul_add(V::load(simd, filters, row)?, sums[r]);
                row += k;
            }
        }
        for &x in rest {
            sums[0] = V::splat(simd, x).mul_add(V::load(simd, filters, row)?, sums[0]);
            row += k;
        }
        let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
        V::load(simd, y, from)?
            .add(sum.clear_below(at - from))
            .store(y, from);
    }
    Some(())
}

#[inline(never)]
pub(super) fn backward_input(dx: &mut [f32], dy: &[f32], filters: &[f32]) -> Option<()> {
    dispatch!(simd => backward_with(simd, dx, dy, filters))
}

#[inline(always)]
fn backward_with<S: Simd>(simd: S, dx: &mut [f32], dy: &[f32], filters: &[f32]) -> Option<()> {
    widest!(simd: S, dy.len(), dots(dx, dy, filters))
}

#[inline(always)]
fn dots<S: Simd, V: Lanes<S>>(simd: S, dx: &mut [f32], dy: &[f32], filters: &[f32]) -> Option<()> {
    const ROWS: usize = 4;
    let k = dy.len();
    let last = V::rest(simd, k);
    let (blocks, rest) = dx.as_chunks_mut::<ROWS>();
    let mut rows = filters;
    for dx in blocks {
        *dx = dot::<S, V, ROWS>(simd, dy, rows, last)?;
        rows = rows.get(ROWS * k..)?;
    }
    for dx in rest {
        [*dx] = dot::<S, V, 1>(simd, dy, rows, last)?;
        rows = rows.get(k..)?;
    }
    Some(())
}

/// `Σ dy[k] · rows[r][k]`
#[inline(always)]
fn dot<S: Simd, V: Lanes<S>, const R: usize>(
    simd: S,
    dy: &[f32],
    rows: &[f32],
    rest: V,
) -> Option<[f32; R]> {
    let k = dy.len();
    let last = k.checked_sub(V::LEN)?;
    let mut sums = [V::splat(simd, 0.0); R];
    for at in (0..=last).step_by(V::LEN) {
        let dy = V::load(simd, dy, at)?;
        for r in 0..R {
            sums[r] = dy.mul_add(V::load(simd, rows, r * k + at)?, sums[r]);
        }
    }
    if !k.is_multiple_of(V::LEN) {
        let dy = V::load(simd, dy, last)?.mul(rest);
        for r in 0..R {
            sums[r] = dy.mul_add(V::load(simd, rows, r * k + last)?, sums[r]);
        }
    }
    // Not `sums.map`: what it calls would not be compiled for this instruction set.
    let mut dx = [0.0; R];
    for r in 0..R {
        dx[r] = sums[r].sum();
    }
    Some(dx)
}

#[inline(never)]
pub(super) fn add_gradient(
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    dispatch!(simd => gradient_with(simd, x, dy, d_filters))?;
    d_bias.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
    Some(())
}

#[inline(always)]
fn gradient_with<S: Simd>(simd: S, x: &[f32], dy: &[f32], d_filters: &mut [f32]) -> Option<()> {
    widest!(simd: S, dy.len(), add_outer(x, dy, d_filters))
}

/// `d_filters[n][k] += x[n] · dy[k]`
#[inline(always)]
fn add_outer<S: Simd, V: Lanes<S>>(
    simd: S,
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
) -> Option<()> {
    let whole = dy.len() - dy.len() % V::LEN;
    let rest = dy.get(whole..)?;
    for (&x, row) in x.iter().zip(d_filters.chunks_exact_mut(dy.len())) {
        let vector = V::splat(simd, x);
        for at in (0..whole).step_by(V::LEN) {
            vector
                .mul_add(V::load(simd, dy, at)?, V::load(simd, row, at)?)
                .store(row, at);
        }
        // One by one: a vector that reads what the last one has just written waits for it.
        for (sum, dy) in row.get_mut(whole..)?.iter_mut().zip(rest) {
            *sum += x * dy;
        }
    }
    Some(())
}
