//! Targets without vectors: the tile of `conv` with scalars for registers.
//!
//! ```text
//!                      filters[i]: K₀ ‥ K₀ + N       (i runs over fx and d, which are contiguous
//!                      ┌───┬───┬───┬───┐              in x and in the filters)
//!   x[pixel 0][i] ──▶  │   │   │   │   │
//!        …             │ sum += x · w  │              P × N sums: 24 of the 32 registers of a
//!   x[pixel P][i] ──▶  │   │   │   │   │              microcontroller with an FPU
//!                      └───┴───┴───┴───┘
//! ```
//!
//! Ten loads serve 24 multiply-adds, where the plain loop has two for one. Each sum is taken in the
//! plain loop's order, and no multiply-add is fused: the result is the plain twin's to the bit, with
//! an FPU or without.
//!
//! Each kind of tile is a kilobyte of code, so there are [few](PIXELS), which overlap.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use super::Operands;
use crate::kernel::Sizes;
use crate::kernel::window::{extent, tiles};

/// P, or 1.
const PIXELS: [usize; 3] = [6, 4, 2];

/// N; filters that are fewer are summed one by one, a pixel at a time.
const FILTERS: usize = 4;

/// All rows.
pub(crate) fn conv(from: &Operands, y: &mut [f32]) -> Option<()> {
    let row;
    let from = if from.sizes.sees_pixels() {
        // No window hangs over a border, so all pixels are one row.
        row = from.sizes.in_a_row();
        &Operands {
            sizes: &row,
            ..*from
        }
    } else {
        from
    };
    let row = from.sizes.y[1].checked_mul(from.sizes.y[2])?;
    if row == 0 {
        return None;
    }
    for (oy, y) in y.chunks_exact_mut(row).enumerate() {
        conv_row(from, oy, y)?;
    }
    Some(())
}

/// Row `oy` of the output.
#[inline(never)]
pub(crate) fn conv_row(from: &Operands, oy: usize, y: &mut [f32]) -> Option<()> {
    let &Operands { sizes, x, .. } = from;
    let &Sizes {
        x: [_, width, depth],
        y: [_, _, filters],
        ..
    } = sizes;
    let pitch = sizes.filter[1] * depth;
    let rows = sizes.axis(0).taps(oy);
    let iy = (oy * sizes.stride[0] + rows.start).wrapping_sub(sizes.before[0]);
    for columns in sizes.axis(1).runs() {
        let taps = &columns.taps;
        let tile = Tile {
            from,
            // Nothing is read if no tap meets the input.
            filters: from
                .filters
                .get((rows.start * pitch + taps.start * depth) * filters..)
                .unwrap_or_default(),
            rows: if taps.is_empty() { 0 } else { rows.len() },
            row: taps.len() * depth,
            x_pitch: width * depth,
            filter_pitch: pitch * filters,
            step: sizes.stride[1] * depth,
        };
        for (ox, pixels) in tiles(columns.places, PIXELS) {
            let ix = (ox * sizes.stride[1] + taps.start).wrapping_sub(sizes.before[1]);
            let x = x
                .get(iy.wrapping_mul(width).wrapping_add(ix).wrapping_mul(depth)..)
                .unwrap_or_default();
            let y = y.get_mut(ox * filters..)?;
            match pixels {
                6 => tile.filters::<6>(x, y)?,
                4 => tile.filters::<4>(x, y)?,
                2 => tile.filters::<2>(x, y)?,
                _ => tile.filters::<1>(x, y)?,
            }
        }
    }
    Some(())
}

/// What the tiles of neighbouring pixels with the same taps share.
struct Tile<'a> {
    from: &'a Operands<'a>,
    /// From the first tap on.
    filters: &'a [f32],
    /// How many taps there are.
    rows: usize,
    row: usize,
    x_pitch: usize,
    filter_pitch: usize,
    /// From one pixel's first scalar to the next one's.
    step: usize,
}

impl Tile<'_> {
    /// All filters of `P` pixels; `x` and `y` begin at the first of them.
    #[inline(always)]
    fn filters<const P: usize>(&self, x: &[f32], y: &mut [f32]) -> Option<()> {
        let all = self.from.bias.len();
        for (k, n) in tiles(0..all, [FILTERS]) {
            if n == FILTERS {
                self.run::<P, FILTERS>(k, x, y)?;
            } else {
                for p in 0..P {
                    // Nothing is read if no tap meets the input.
                    let x = x.get(p * self.step..).unwrap_or_default();
                    self.run::<1, 1>(k, x, y.get_mut(p * all..)?)?;
                }
            }
        }
        Some(())
    }

    /// `N` filters from `k` on.
    #[inline(never)]
    fn run<const P: usize, const N: usize>(
        &self,
        k: usize,
        x: &[f32],
        y: &mut [f32],
    ) -> Option<()> {
        let all = self.from.bias.len();
        let bias = self.from.bias.get(k..)?.first_chunk::<N>()?;
        let mut sums = [*bias; P];
        if self.rows > 0 && self.row > 0 {
            sums = self.add_products(k, x, sums)?;
        }
        for p in 0..P {
            *y.get_mut(p * all + k..)?.first_chunk_mut::<N>()? = sums[p];
        }
        Some(())
    }

    /// Unchecked inside, and loops that test at their end, as in `conv`.
    #[inline(always)]
    fn add_products<const P: usize, const N: usize>(
        &self,
        k: usize,
        x: &[f32],
        mut sums: [[f32; N]; P],
    ) -> Option<[[f32; N]; P]> {
        let &Self {
            rows,
            row,
            x_pitch,
            filter_pitch,
            step,
            ..
        } = self;
        let all = self.from.bias.len();
        let length = extent(rows, filter_pitch, row.checked_mul(all)?)?;
        let filters = self.filters.get(..length)?;
        let mut xs = [&[][..]; P];
        for p in 0..P {
            xs[p] = x.get(p * step..)?.get(..extent(rows, x_pitch, row)?)?;
        }
        if k + N > all {
            return None;
        }
        let mut fy = 0;
        loop {
            let mut i = 0;
            loop {
                let mut weights = [0.0; N];
                for n in 0..N {
                    // SAFETY: fy < rows, i < row and k + n < all, so that this is less than
                    // (rows − 1) · filter_pitch + row · all = filters.len().
                    weights[n] =
                        *unsafe { filters.get_unchecked(fy * filter_pitch + i * all + k + n) };
                }
                for p in 0..P {
                    // SAFETY: fy · x_pitch + i < (rows − 1) · x_pitch + row = xs[p].len().
                    let x = *unsafe { xs[p].get_unchecked(fy * x_pitch + i) };
                    for n in 0..N {
                        sums[p][n] += x * weights[n];
                    }
                }
                i += 1;
                if i >= row {
                    break;
                }
            }
            fy += 1;
            if fy >= rows {
                break;
            }
        }
        Some(sums)
    }
}
