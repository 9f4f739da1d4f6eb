//! Targets without vectors: the gradient on the filters, with scalars for registers.
//!
//! The sums of a tap, four depths by four filters, or one by eight, stay in registers for all pixels at which the tap
//! meets the input: eight loads serve sixteen multiply-adds, where the plain loop loads two and stores one for each.
//! Every sum is taken in the plain loop's order, and no multiply-add is fused: the result is the plain twin's to the bit.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use super::Operands;
use crate::kernel::Sizes;
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::kernel::window::{Run, extent};

/// Adds to both gradients.
pub(crate) fn add_gradient(
    from: &Operands,
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let [fh, fw] = sizes.filter;
    let [_, _, k] = sizes.y;
    let (rows, columns) = (sizes.axis::<0>(), sizes.axis::<1>());
    for dy in pieces(from.dy, k) {
        d_bias.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
    }
    let weights = sizes.x[2].checked_div(sizes.groups)? * k;
    let mut taps = pieces_mut(d_filters, weights);
    for fy in 0..fh {
        for fx in 0..fw {
            let [rows, columns] = [(&rows, fy), (&columns, fx)].map(|(axis, tap)| Run {
                places: axis.outputs(tap),
                taps: tap..tap + 1,
            });
            let d_filters = taps.next()?;
            if !rows.is_empty() && !columns.is_empty() {
                Tap::new(from, [&rows, &columns])?.all(sizes, d_filters)?;
            }
        }
    }
    Some(())
}

/// The pixels that meet a tap, as in the kernel with vectors: the first one that is read, how many there are, and how
/// far apart.
struct Tap<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    rows: usize,
    columns: usize,
    x_pitch: [usize; 2],
    dy_pitch: [usize; 2],
}

impl<'a> Tap<'a> {
    fn new(from: &Operands<'a>, [rows, columns]: [&Run; 2]) -> Option<Self> {
        let &Sizes {
            x: [_, width, depth],
            y: [_, wo, k],
            stride: [sy, sx],
            before: [py, px],
            ..
        } = from.sizes;
        let [oy, ox] = [rows.places.start, columns.places.start];
        let row = (oy * sy + rows.taps.start).checked_sub(py)?;
        let column = (ox * sx + columns.taps.start).checked_sub(px)?;
        Some(Self {
            x: from.x.get((row * width + column) * depth..)?,
            dy: from.dy.get((oy * wo + ox) * k..)?,
            rows: rows.places.len(),
            columns: columns.places.len(),
            x_pitch: [sy * width * depth, sx * depth],
            dy_pitch: [wo * k, k],
        })
    }

    /// All depths and filters of each group.
    fn all(&self, sizes: &Sizes, d_filters: &mut [f32]) -> Option<()> {
        let [_, _, k] = sizes.y;
        let depth = sizes.x[2].checked_div(sizes.groups)?;
        let of_group = k.checked_div(sizes.groups)?;
        for group in 0..sizes.groups {
            let mut d = 0;
            while d < depth {
                let rows = d_filters.get_mut(d * k..)?;
                let of_tile = if d + 4 <= depth { 4 } else { 1 };
                let (mut at, end) = (group * of_group, (group + 1) * of_group);
                while at < end {
                    let from = [group * depth + d, at];
                    at += match (of_tile, end - at) {
                        (4, 4..) => self.tile::<4, 4>(from, rows)?,
                        (4, _) => self.tile::<4, 1>(from, rows)?,
                        (_, 8..) => self.tile::<1, 8>(from, rows)?,
                        _ => self.tile::<1, 1>(from, rows)?,
                    };
                }
                d += of_tile;
            }
        }
        Some(())
    }

    /// R depths by N filters; `rows` begins at the first depth.
    ///
    /// Unchecked inside, and loops that test at their end, as in `conv`.
    #[inline(never)]
    fn tile<const R: usize, const N: usize>(
        &self,
        [d, k]: [usize; 2],
        rows: &mut [f32],
    ) -> Option<usize> {
        let (x, dy) = (self.x.get(d..)?, self.dy.get(k..)?);
        let all = |pitch: [usize; 2], last| {
            extent(self.rows, pitch[0], extent(self.columns, pitch[1], last)?)
        };
        let x = x.get(..all(self.x_pitch, R)?)?;
        let dy = dy.get(..all(self.dy_pitch, N)?)?;
        let mut sums = [[0.0; N]; R];
        for r in 0..R {
            sums[r] = *rows.get(r * self.dy_pitch[1] + k..)?.first_chunk()?;
        }
        let mut row = 0;
        loop {
            let mut at = [row * self.x_pitch[0], row * self.dy_pitch[0]];
            let mut column = 0;
            loop {
                for r in 0..R {
                    // SAFETY: row < rows and column < columns, so that this is less than
                    // (rows − 1) · x_pitch[0] + (columns − 1) · x_pitch[1] + R = x.len().
                    let x = *unsafe { x.get_unchecked(at[0] + r) };
                    for n in 0..N {
                        // SAFETY: likewise.
                        sums[r][n] += x * *unsafe { dy.get_unchecked(at[1] + n) };
                    }
                }
                at = [at[0] + self.x_pitch[1], at[1] + self.dy_pitch[1]];
                column += 1;
                if column >= self.columns {
                    break;
                }
            }
            row += 1;
            if row >= self.rows {
                break;
            }
        }
        for r in 0..R {
            let to = rows.get_mut(r * self.dy_pitch[1] + k..)?;
            *to.first_chunk_mut()? = sums[r];
        }
        Some(N)
    }
}
