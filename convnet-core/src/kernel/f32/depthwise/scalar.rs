//! Targets without vectors: P pixels of a row by N depths, with scalars for registers.
//!
//! The filters of a tap are read once for P pixels. Each sum is taken in the plain loop's order, as in
//! [`conv`](crate::kernel::f32::conv::scalar): the same to the bit.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use super::Operands;
use crate::kernel::Sizes;
#[cfg(vfp)]
use crate::kernel::f32::vfp;
use crate::kernel::window::{extent, tiles};

/// P, or 1.
const PIXELS: usize = 4;

/// N, or 1.
const DEPTHS: usize = 4;

/// All rows.
pub(crate) fn depthwise(from: &Operands, y: &mut [f32]) -> Option<()> {
    let &Operands { sizes, x, .. } = from;
    let &Sizes {
        x: [_, width, depth],
        y: [height, wo, _],
        ..
    } = sizes;
    for oy in 0..height {
        let y = y.get_mut(oy * wo * depth..)?;
        let rows = sizes.axis::<0>().taps(oy);
        let iy = (oy * sizes.stride[0] + rows.start).wrapping_sub(sizes.before[0]);
        for columns in sizes.axis::<1>().runs() {
            let taps = &columns.taps;
            let tile = Tile {
                from,
                // Nothing is read if no tap meets the input.
                filters: from
                    .filters
                    .get((rows.start * sizes.filter[1] + taps.start) * depth..)
                    .unwrap_or_default(),
                rows: if taps.is_empty() { 0 } else { rows.len() },
                columns: taps.len(),
            };
            for (ox, pixels) in tiles(columns.places, [PIXELS]) {
                let ix = (ox * sizes.stride[1] + taps.start).wrapping_sub(sizes.before[1]);
                let x = x
                    .get(iy.wrapping_mul(width).wrapping_add(ix).wrapping_mul(depth)..)
                    .unwrap_or_default();
                let y = y.get_mut(ox * depth..)?;
                for (d, depths) in tiles(0..depth, [DEPTHS]) {
                    #[cfg(vfp)]
                    if depths == DEPTHS {
                        tile.vfp(d, x).depthwise(pixels, y.get_mut(d..)?)?;
                        continue;
                    }
                    match (pixels, depths) {
                        #[cfg(not(vfp))]
                        (PIXELS, DEPTHS) => tile.run::<PIXELS, DEPTHS>(d, x, y)?,
                        #[cfg(not(vfp))]
                        (1, DEPTHS) => tile.run::<1, DEPTHS>(d, x, y)?,
                        _ => {
                            for p in 0..pixels {
                                let x = x.get(p * tile.step()..).unwrap_or_default();
                                tile.run::<1, 1>(d, x, y.get_mut(p * depth..)?)?;
                            }
                        }
                    }
                }
            }
        }
    }
    from.clamp.apply(y);
    Some(())
}

/// What the tiles of neighbouring pixels with the same taps share.
struct Tile<'a> {
    from: &'a Operands<'a>,
    /// From the first tap on.
    filters: &'a [f32],
    /// How many taps there are.
    rows: usize,
    columns: usize,
}

impl Tile<'_> {
    /// From one pixel's first scalar to the next one's.
    fn step(&self) -> usize {
        self.from.sizes.stride[1] * self.from.sizes.x[2]
    }

    /// The tile of four depths from `d` on, as assembly takes it.
    #[cfg(vfp)]
    fn vfp<'a>(&'a self, d: usize, x: &'a [f32]) -> vfp::Tile<'a> {
        let (sizes, depth) = (self.from.sizes, self.from.bias.len());
        vfp::Tile {
            x: x.get(d..).unwrap_or_default(),
            weights: self.filters.get(d..).unwrap_or_default(),
            bias: self.from.bias.get(d..).unwrap_or_default(),
            steps: [self.step(), depth],
            taps: [self.rows, self.columns],
            pitches: [sizes.x[1] * depth, sizes.filter[1] * depth],
            step: depth,
        }
    }

    /// `N` depths from `d` on of `P` pixels; `x` and `y` begin at the first of them.
    #[inline(never)]
    fn run<const P: usize, const N: usize>(
        &self,
        d: usize,
        x: &[f32],
        y: &mut [f32],
    ) -> Option<()> {
        let bias = self.from.bias.get(d..)?.first_chunk::<N>()?;
        let mut sums = [*bias; P];
        if self.rows > 0 && self.columns > 0 {
            sums = self.add_products(d, x, sums)?;
        }
        let depth = self.from.bias.len();
        for p in 0..P {
            *y.get_mut(p * depth + d..)?.first_chunk_mut::<N>()? = sums[p];
        }
        Some(())
    }

    /// Unchecked inside, and loops that test at their end, as in `conv`.
    #[inline(always)]
    fn add_products<const P: usize, const N: usize>(
        &self,
        d: usize,
        x: &[f32],
        mut sums: [[f32; N]; P],
    ) -> Option<[[f32; N]; P]> {
        let (&Self { rows, columns, .. }, depth) = (self, self.from.bias.len());
        let pitch = self.from.sizes.filter[1] * depth;
        let x_pitch = self.from.sizes.x[1] * depth;
        let row = extent(columns, depth, N)?;
        let filters = self.filters.get(d..)?.get(..extent(rows, pitch, row)?)?;
        let mut xs = [&[][..]; P];
        for p in 0..P {
            xs[p] = x
                .get(p * self.step() + d..)?
                .get(..extent(rows, x_pitch, row)?)?;
        }
        let mut fy = 0;
        loop {
            let mut fx = 0;
            loop {
                let mut weights = [0.0; N];
                for n in 0..N {
                    // SAFETY: fy < rows, fx < columns and n < N, so that this is less than
                    // (rows − 1) · pitch + (columns − 1) · depth + N = filters.len().
                    weights[n] = *unsafe { filters.get_unchecked(fy * pitch + fx * depth + n) };
                }
                for p in 0..P {
                    for n in 0..N {
                        // SAFETY: likewise less than (rows − 1) · x_pitch + (columns − 1) · depth + N = xs[p].len().
                        let x = *unsafe { xs[p].get_unchecked(fy * x_pitch + fx * depth + n) };
                        sums[p][n] += x * weights[n];
                    }
                }
                fx += 1;
                if fx >= columns {
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
