//! Fully connected: the memory bandwidth decides, so the filters are read once, row after row.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::conv_filters::sum_rows;
use super::lanes::{Lanes, widest};

/// Rows of filters per pass over `y`.
const ROWS: usize = 8;

#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, x: &[f32], filters: &[f32], bias: &[f32], y: &mut [f32]) {
    y.copy_from_slice(bias);
    widest!(simd: S, y.len(), add_rows(x, filters, y));
}

/// `y[k] += Σ x[n] · filters[n][k]`
#[inline(always)]
fn add_rows<S: Simd, V: Lanes<S>>(simd: S, x: &[f32], filters: &[f32], y: &mut [f32]) {
    let k = y.len();
    for (x, rows) in x.chunks(ROWS).zip(filters.chunks(ROWS * k)) {
        match x.first_chunk::<ROWS>() {
            Some(x) => add_some::<S, V, ROWS>(simd, x, rows, y),
            None => {
                for (x, row) in x.iter().zip(rows.chunks_exact(k)) {
                    add_some::<S, V, 1>(simd, &[*x], row, y);
                }
            }
        }
    }
}

#[inline(always)]
fn add_some<S: Simd, V: Lanes<S>, const R: usize>(
    simd: S,
    x: &[f32; R],
    rows: &[f32],
    y: &mut [f32],
) {
    let (k, xs) = (y.len(), x.map(|x| V::splat(simd, x)));
    let mut at = 0;
    while at < k {
        let from = at.min(k - V::LEN);
        let Some(old) = V::load(simd, y, from) else {
            return;
        };
        let mut sum = V::splat(simd, 0.0);
        for r in 0..R {
            let Some(row) = V::load(simd, rows, r * k + from) else {
                return;
            };
            sum = xs[r].mul_add(row, sum);
        }
        old.add(sum.clear_below(at - from)).store(y, from);
        at += V::LEN;
    }
}

#[inline(always)]
pub(super) fn backward_input<S: Simd>(simd: S, dx: &mut [f32], dy: &[f32], filters: &[f32]) {
    widest!(simd: S, dy.len(), dots(dy, filters, dx));
}

#[inline(always)]
fn dots<S: Simd, V: Lanes<S>>(simd: S, dy: &[f32], filters: &[f32], dx: &mut [f32]) {
    const R: usize = 4;
    let k = dy.len();
    let (blocks, rest) = dx.as_chunks_mut::<R>();
    let mut rows = filters.chunks(R * k);
    for (dx, rows) in blocks.iter_mut().zip(&mut rows) {
        *dx = dot::<S, V, R>(simd, dy, rows).unwrap_or(*dx);
    }
    if let Some(rows) = rows.next() {
        for (dx, row) in rest.iter_mut().zip(rows.chunks_exact(k)) {
            [*dx] = dot::<S, V, 1>(simd, dy, row).unwrap_or([*dx]);
        }
    }
}

#[inline(always)]
fn dot<S: Simd, V: Lanes<S>, const R: usize>(
    simd: S,
    dy: &[f32],
    rows: &[f32],
) -> Option<[f32; R]> {
    let k = dy.len();
    let mut sums = [V::splat(simd, 0.0); R];
    let mut at = 0;
    while at < k {
        let from = at.min(k - V::LEN);
        let mut dy = V::load(simd, dy, from)?;
        if from < at {
            dy = dy.clear_below(at - from);
        }
        for r in 0..R {
            sums[r] = dy.mul_add(V::load(simd, rows, r * k + from)?, sums[r]);
        }
        at += V::LEN;
    }
    Some(sums.map(V::sum))
}

#[inline(always)]
pub(super) fn add_gradient<S: Simd>(
    simd: S,
    x: &[f32],
    dy: &[f32],
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) {
    sum_rows(simd, dy, d_bias);
    widest!(simd: S, dy.len(), outer(x, dy, d_filters));
}

#[inline(always)]
fn outer<S: Simd, V: Lanes<S>>(simd: S, x: &[f32], dy: &[f32], d_filters: &mut [f32]) {
    for (&x, row) in x.iter().zip(d_filters.chunks_exact_mut(dy.len())) {
        let x = V::splat(simd, x);
        let mut at = 0;
        while at < dy.len() {
            let from = at.min(dy.len() - V::LEN);
            let Some(mut dy) = V::load(simd, dy, from) else {
                return;
            };
            let Some(old) = V::load(simd, row, from) else {
                return;
            };
            if from < at {
                dy = dy.clear_below(at - from);
            }
            x.mul_add(dy, old).store(row, from);
            at += V::LEN;
        }
    }
}
