//! Fully connected: the memory bandwidth decides, so the weights are read once, and may be stored in
//! half the bytes.
//!
//! ```text
//!   x[n]   ──▶ ├──────── filters[n] ────────┤       forward: y += x[n] · filters[n], row by row
//!   x[n+1] ──▶ ├──────── filters[n+1] ──────┤       or 8 at a time; where K is small, y stays in
//!        …                                          registers
//!              ├──────── y or dy ───────────┤       backward: dx[n] = dy · filters[n], 8 rows at a
//!                                                   time
//! ```
//!
//! Filters that come from far away are read as they lie, one row after the other: memory is half as fast where eight
//! rows, that are pages apart, are read at once. From nearby, eight rows spare y seven of eight ways to the registers.
//! To the bit, it is the same sum.
//!
//! In bfloat16 a row holds two: the filters of x[2n] in the low halves of its bits, those of x[2n+1]
//! in the high ones. Sums are in `f32` all the same.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

pub(crate) mod batch;
pub(crate) mod bfloat16;

use fearless_simd::Simd;

use super::conv;
use super::tile::{LINE, prefetch};
use crate::kernel::cache::{L1, L2, scalars};
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::extent;
use crate::kernel::{Sizes, fit};

/// What forward reads.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a> {
    pub(crate) x: &'a [f32],
    /// As many columns of them as there are outputs.
    pub(crate) filters: &'a [f32],
    /// Whether each of them holds two.
    pub(crate) bfloat16: bool,
    /// From one row of the filters to the next.
    pub(crate) pitch: usize,
    pub(crate) bias: &'a [f32],
}

impl Operands<'_> {
    /// Whether these are the filters of an `fc` of so many inputs.
    pub(crate) fn fit(&self, inputs: usize) -> bool {
        let rows = inputs.div_ceil(if self.bfloat16 { 2 } else { 1 });
        fit(self.filters, &[rows, self.pitch])
    }

    /// Whether there are so few outputs that they stay in registers.
    pub(crate) const fn is_narrow<S: Simd, V: Lanes<S>>(&self) -> bool {
        !self.bfloat16 && self.pitch <= 8 * V::LEN
    }
}

#[inline(never)]
pub(crate) fn forward(from: &Operands, y: &mut [f32]) -> Option<()> {
    y.iter_mut().zip(from.bias).for_each(|(y, bias)| *y = *bias);
    dispatch!(simd => forward_with(simd, from, y)).or_else(|| one_by_one(from, y))
}

/// Targets without vectors: a convolution of one pixel.
fn one_by_one(from: &Operands, y: &mut [f32]) -> Option<()> {
    let sizes = Sizes {
        x: [1, 1, from.x.len()],
        filter: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        before: [0, 0],
        y: [1, 1, y.len()],
        groups: 1,
    };
    let conv = conv::Operands {
        sizes: &sizes,
        x: from.x,
        filters: from.filters,
        bias: from.bias,
    };
    let plain = !from.bfloat16 && from.pitch == from.bias.len();
    plain.then(|| conv::scalar::conv(&conv, y))?
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    widest!(simd: S, y.len(), add_rows(from, y))
}

/// `y[k] += Σ x[n] · filters[n][k]`
#[inline(always)]
pub(crate) fn add_rows<S: Simd, V: Lanes<S>>(
    simd: S,
    from: &Operands,
    y: &mut [f32],
) -> Option<()> {
    if from.bfloat16 {
        let (pairs, rest) = from.x.as_chunks();
        add_blocks::<S, V, 2>(simd, pairs, from, y)?;
        let &[last] = rest else {
            return Some(());
        };
        let row = from.filters.get(pairs.len() * from.pitch..)?;
        return add_block::<S, V, 1, 2>(simd, &[[last, 0.0]], row, from.pitch, y);
    }
    if from.is_narrow::<S, V>() && y.len() == from.pitch {
        return add_columns::<S, V>(simd, from.x, from.filters, y);
    }
    add_blocks::<S, V, 1>(simd, from.x.as_chunks().0, from, y)
}

/// As [`add_rows`], of `x` in place of all of it; each row holds so many.
#[inline(always)]
fn add_blocks<S: Simd, V: Lanes<S>, const HELD: usize>(
    simd: S,
    x: &[[f32; HELD]],
    &Operands { filters, pitch, .. }: &Operands,
    y: &mut [f32],
) -> Option<()> {
    const ROWS: usize = 8;
    let (blocks, rest) = match x.len() * y.len() > scalars::<f32>(L2 / 2) {
        true => (&[][..], x),
        false => x.as_chunks::<ROWS>(),
    };
    for (i, x) in blocks.iter().enumerate() {
        let rows = filters.get(i * ROWS * pitch..)?;
        add_block::<S, V, ROWS, HELD>(simd, x, rows, pitch, y)?;
    }
    for (i, &x) in rest.iter().enumerate() {
        let row = filters.get((blocks.len() * ROWS + i) * pitch..)?;
        add_block::<S, V, 1, HELD>(simd, &[x], row, pitch, y)?;
    }
    Some(())
}

/// Scalars ahead of what is read from one row: half of the first-level cache, several times what hides the way to
/// memory from tiles, which compute meanwhile.
const AHEAD: usize = scalars::<f32>(L1 / 2);

/// Vectors of one row that are added in a round: a counter and a prefetch each would take longer than the addition.
const ROUND: usize = 4;

/// Adds R rows to `y`, one after the other.
#[inline(always)]
pub(crate) fn add_block<S: Simd, V: Lanes<S>, const R: usize, const HELD: usize>(
    simd: S,
    x: &[[f32; HELD]; R],
    rows: &[f32],
    pitch: usize,
    y: &mut [f32],
) -> Option<()> {
    let k = y.len();
    let (rows, last) = (rows.get(..extent(R, pitch, k)?)?, k.checked_sub(V::LEN)?);
    let mut end = None;
    if !k.is_multiple_of(V::LEN) {
        // The last vector ends at the last filter: some lanes are summed a second time, from what y was, and so
        // the same.
        // SAFETY: last + LEN = k, and R rows of k are there.
        end = Some(unsafe { sum::<S, V, R, HELD>(simd, x, rows, pitch, y, last) });
    }
    let mut at = 0;
    while R == 1 && at + ROUND * V::LEN <= k {
        for line in 0..(ROUND * V::LEN).div_ceil(LINE) {
            prefetch(rows, at + line * LINE + AHEAD);
        }
        for v in 0..ROUND {
            // SAFETY: at + v · LEN + LEN <= at + ROUND · LEN <= k, and R rows of k are there.
            unsafe { add::<S, V, R, HELD>(simd, x, rows, pitch, y, at + v * V::LEN) };
        }
        at += ROUND * V::LEN;
    }
    while at <= last {
        // SAFETY: at + LEN <= last + LEN = k, and R rows of k are there.
        unsafe { add::<S, V, R, HELD>(simd, x, rows, pitch, y, at) };
        at += V::LEN;
    }
    if let Some(end) = end {
        end.store(y, last);
    }
    Some(())
}

/// Adds to one vector of `y`.
///
/// # Safety
///
/// As for `sum`.
#[inline(always)]
unsafe fn add<S: Simd, V: Lanes<S>, const R: usize, const HELD: usize>(
    simd: S,
    x: &[[f32; HELD]; R],
    rows: &[f32],
    pitch: usize,
    y: &mut [f32],
    at: usize,
) {
    // SAFETY: as the caller promises.
    let sum = unsafe { sum::<S, V, R, HELD>(simd, x, rows, pitch, y, at) };
    // SAFETY: at + LEN <= y.len().
    unsafe { sum.store_unchecked(y, at) };
}

/// What becomes of a vector of `y`.
///
/// # Safety
///
/// `at + LEN <= y.len()`, and there are R rows of `y.len()`, `pitch` apart.
#[inline(always)]
unsafe fn sum<S: Simd, V: Lanes<S>, const R: usize, const HELD: usize>(
    simd: S,
    x: &[[f32; HELD]; R],
    rows: &[f32],
    pitch: usize,
    y: &[f32],
    at: usize,
) -> V {
    // SAFETY: as the caller promises.
    let mut sum = unsafe { V::load_unchecked(simd, y, at) };
    for r in 0..R {
        // SAFETY: r · pitch + at + LEN <= (R − 1) · pitch + y.len() <= rows.len(): r < R.
        let row = unsafe { V::load_unchecked(simd, rows, r * pitch + at) };
        let held = if HELD == 1 { [row; 2] } else { row.halves() };
        for h in 0..HELD {
            sum = V::splat(simd, x[r][h]).mul_add(held[h], sum);
        }
    }
    sum
}

/// As [`add_rows`], two vectors of filters at a time.
#[inline(always)]
fn add_columns<S: Simd, V: Lanes<S>>(
    simd: S,
    x: &[f32],
    filters: &[f32],
    y: &mut [f32],
) -> Option<()> {
    let (k, len) = (y.len(), V::LEN);
    for at in (0..k).step_by(2 * len) {
        // The last vector ends at the last filter; lanes already summed are dropped.
        if k - at > len {
            let last = (at + len).min(k - len);
            add_vectors::<S, V, 2>(simd, x, filters, [at, last], at + len - last, y)?;
        } else {
            add_vectors::<S, V, 1>(simd, x, filters, [k - len], at + len - k, y)?;
        }
    }
    Some(())
}

/// The filters at `ks`; the first `done` lanes of the last vector are dropped. Every fourth row goes
/// to the same register, so that an addition need not wait for the one before.
#[inline(always)]
fn add_vectors<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    x: &[f32],
    filters: &[f32],
    ks: [usize; N],
    done: usize,
    y: &mut [f32],
) -> Option<()> {
    const ROWS: usize = 4;
    let k = y.len();
    if ks.iter().any(|at| at + V::LEN > k) {
        return None;
    }
    let mut sums = [[V::splat(simd, 0.0); N]; ROWS];
    let (blocks, rest) = x.as_chunks::<ROWS>();
    for (x, rows) in blocks.iter().zip(filters.chunks_exact(ROWS * k)) {
        for r in 0..ROWS {
            let x = V::splat(simd, x[r]);
            for n in 0..N {
                // SAFETY: r · k + ks[n] + LEN <= ROWS · k = rows.len(): ks[n] + LEN <= k.
                let row = unsafe { V::load_unchecked(simd, rows, r * k + ks[n]) };
                sums[r][n] = x.mul_add(row, sums[r][n]);
            }
        }
    }
    let last = filters.get(blocks.len() * ROWS * k..)?;
    for (&x, row) in rest.iter().zip(last.chunks_exact(k)) {
        for n in 0..N {
            sums[0][n] = V::splat(simd, x).mul_add(V::load(simd, row, ks[n])?, sums[0][n]);
        }
    }
    for n in 0..N {
        let mut sum = sums[0][n].add(sums[1][n]).add(sums[2][n].add(sums[3][n]));
        if n == N - 1 {
            sum = sum.clear_below(done);
        }
        V::load(simd, y, ks[n])?.add(sum).store(y, ks[n]);
    }
    Some(())
}

#[inline(never)]
pub(crate) fn backward_input(dx: &mut [f32], dy: &[f32], filters: &[f32]) -> Option<()> {
    dispatch!(simd => backward_with(simd, dx, dy, filters))
}

#[inline(always)]
fn backward_with<S: Simd>(simd: S, dx: &mut [f32], dy: &[f32], filters: &[f32]) -> Option<()> {
    widest!(simd: S, dy.len(), dots(dx, dy, filters))
}

#[inline(always)]
fn dots<S: Simd, V: Lanes<S>>(simd: S, dx: &mut [f32], dy: &[f32], filters: &[f32]) -> Option<()> {
    const ROWS: usize = 8;
    let k = dy.len();
    let (blocks, rest) = dx.as_chunks_mut::<ROWS>();
    let mut rows = filters;
    for dx in blocks {
        [*dx] = dot::<S, V, ROWS, 1>(simd, [dy], rows)?;
        rows = rows.get(ROWS * k..)?;
    }
    for dx in rest {
        [[*dx]] = dot::<S, V, 1, 1>(simd, [dy], rows)?;
        rows = rows.get(k..)?;
    }
    Some(())
}

/// `Σ dy[k] · rows[r][k]` of each `dy`; all are of one length.
#[inline(always)]
pub(crate) fn dot<S: Simd, V: Lanes<S>, const R: usize, const I: usize>(
    simd: S,
    dys: [&[f32]; I],
    rows: &[f32],
) -> Option<[[f32; R]; I]> {
    let k = dys.first()?.len();
    let (rows, last) = (rows.get(..R * k)?, k.checked_sub(V::LEN)?);
    if dys.iter().any(|dy| dy.len() != k) {
        return None;
    }
    let mut sums = [[V::splat(simd, 0.0); R]; I];
    let mut at = 0;
    while at <= last {
        // SAFETY: at <= last = k − LEN.
        unsafe { add_products(simd, dys, rows, at, None, &mut sums) };
        at += V::LEN;
    }
    if !k.is_multiple_of(V::LEN) {
        let rest = Some(V::rest(simd, k));
        // SAFETY: as above.
        unsafe { add_products(simd, dys, rows, last, rest, &mut sums) };
    }
    // Not `sums.map`: what it calls would not be compiled for this instruction set.
    let mut dx = [[0.0; R]; I];
    for i in 0..I {
        for r in 0..R {
            dx[i][r] = sums[i][r].sum();
        }
    }
    Some(dx)
}

/// Those of the vectors at `at`; of `dy` times `rest`.
///
/// # Safety
///
/// All `dy` are of one length k, there are R rows of k, and `at + LEN <= k`
#[inline(always)]
unsafe fn add_products<S: Simd, V: Lanes<S>, const R: usize, const I: usize>(
    simd: S,
    dys: [&[f32]; I],
    rows: &[f32],
    at: usize,
    rest: Option<V>,
    sums: &mut [[V; R]; I],
) {
    let k = rows.len() / R;
    let mut dy = [V::splat(simd, 0.0); I];
    for i in 0..I {
        // SAFETY: at + LEN <= k = dys[i].len(), as the caller promises.
        dy[i] = unsafe { V::load_unchecked(simd, dys[i], at) };
        if let Some(rest) = rest {
            dy[i] = dy[i].mul(rest);
        }
    }
    for r in 0..R {
        // SAFETY: r · k + at + LEN <= R · k = rows.len(), as r < R.
        let row = unsafe { V::load_unchecked(simd, rows, r * k + at) };
        for i in 0..I {
            sums[i][r] = dy[i].mul_add(row, sums[i][r]);
        }
    }
}

#[inline(never)]
pub(crate) fn add_gradient(
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
