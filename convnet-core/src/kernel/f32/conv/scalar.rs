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
#[cfg(vfp)]
use crate::kernel::f32::vfp;
use crate::kernel::pieces::pieces_mut;
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
    for (oy, y) in pieces_mut(y, row).enumerate() {
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
    let rows = sizes.axis::<0>().taps(oy);
    let iy = (oy * sizes.stride[0] + rows.start).wrapping_sub(sizes.before[0]);
    for columns in sizes.axis::<1>().runs() {
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
            tile.filters(pixels, x, y)?;
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
    /// All filters of so many pixels; `x` and `y` begin at the first of them.
    fn filters(&self, pixels: usize, x: &[f32], y: &mut [f32]) -> Option<()> {
        let all = self.from.bias.len();
        for (k, filters) in tiles(0..all, [FILTERS]) {
            #[cfg(vfp)]
            if filters == FILTERS {
                self.vfp(k, x).conv(pixels, y.get_mut(k..)?)?;
                continue;
            }
            match (pixels, filters) {
                #[cfg(not(vfp))]
                (6, FILTERS) => self.run::<6, FILTERS>(k, x, y)?,
                #[cfg(not(vfp))]
                (4, FILTERS) => self.run::<4, FILTERS>(k, x, y)?,
                #[cfg(not(vfp))]
                (2, FILTERS) => self.run::<2, FILTERS>(k, x, y)?,
                #[cfg(not(vfp))]
                (1, FILTERS) => self.run::<1, FILTERS>(k, x, y)?,
                _ => {
                    for p in 0..pixels {
                        // Nothing is read if no tap meets the input.
                        let x = x.get(p * self.step..).unwrap_or_default();
                        self.run::<1, 1>(k, x, y.get_mut(p * all..)?)?;
                    }
                }
            }
        }
        Some(())
    }

    /// The tile of four filters from `k` on, as assembly takes it.
    #[cfg(vfp)]
    fn vfp<'a>(&'a self, k: usize, x: &'a [f32]) -> vfp::Tile<'a> {
        let all = self.from.bias.len();
        vfp::Tile {
            x,
            weights: self.filters.get(k..).unwrap_or_default(),
            bias: self.from.bias.get(k..).unwrap_or_default(),
            steps: [self.step, all],
            taps: [self.rows, self.row],
            pitches: [self.x_pitch, self.filter_pitch],
            step: all,
        }
    }

    /// `N` filters from `k` on of `P` pixels. Unchecked inside, and a loop that tests at its end, as in `conv`.
    ///
    /// What is checked is so row by row: by as few instructions, and the compiler does not unroll the rows.
    #[inline(never)]
    fn run<const P: usize, const N: usize>(
        &self,
        k: usize,
        x: &[f32],
        y: &mut [f32],
    ) -> Option<()> {
        let (all, row, step) = (self.from.bias.len(), self.row, self.step);
        let bias = self.from.bias.get(k..)?.first_chunk::<N>()?;
        let mut sums = [*bias; P];
        for fy in 0..if row > 0 { self.rows } else { 0 } {
            let weights = self.filters.get(fy * self.filter_pitch + k..)?;
            let weights = weights.get(..extent(row, all, N)?)?;
            let x = x.get(fy * self.x_pitch..)?.get(..extent(P, step, row)?)?;
            let mut i = 0;
            loop {
                let mut w = [0.0; N];
                for n in 0..N {
                    // SAFETY: i < row and n < N, so that this is less than (row − 1) · all + N = weights.len().
                    w[n] = *unsafe { weights.get_unchecked(i * all + n) };
                }
                for p in 0..P {
                    // SAFETY: p < P and i < row, so that this is less than (P − 1) · step + row = x.len().
                    let x = *unsafe { x.get_unchecked(p * step + i) };
                    for n in 0..N {
                        sums[p][n] += x * w[n];
                    }
                }
                i += 1;
                if i >= row {
                    break;
                }
            }
        }
        let y = y.get_mut(k..)?.get_mut(..extent(P, all, N)?)?;
        for p in 0..P {
            for n in 0..N {
                // SAFETY: p < P and n < N, so that this is less than (P − 1) · all + N = y.len().
                *unsafe { y.get_unchecked_mut(p * all + n) } = sums[p][n];
            }
        }
        Some(())
    }
}
