//! Convolution in groups: as [`conv`](super), but the depths of a group are not all of a pixel's,
//! so that taps of a row are not contiguous.
//!
//! ```text
//!   x[pixel]:  │ group 0 │ group 1 │        filters[fy][fx][d]:  │ group 0 │ group 1 │
//!                └ D ┘ rows of a tile: fx                           └ K/G ┘
//! ```
//!
//! A tile sums over one row of taps; the rows of the filter come one after the other, and add to what
//! is in `y`.

use fearless_simd::Simd;

use super::{Operands, walk};
use crate::kernel::f32::tile::{self, Start, Taps};
use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;

#[inline(never)]
pub(crate) fn forward(from: &Operands, y: &mut [f32]) -> Option<()> {
    dispatch!(simd => forward_with(simd, from, y))
}

#[inline(always)]
fn forward_with<S: Simd>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    widest!(simd: S, from.sizes.y[2] / from.sizes.groups, all_filters(from, y))
}

/// All groups, two vectors of filters at a time.
///
/// The last vector of a group ends at its last filter, and may compute some a second time.
/// **Invariant:** each call of [`sweep`] begins with the bias, and adds all rows of taps before the next
/// one begins; so what is computed a second time is so from its beginning.
#[inline(always)]
fn all_filters<S: Simd, V: Lanes<S>>(simd: S, from: &Operands, y: &mut [f32]) -> Option<()> {
    let (per_group, len) = (from.sizes.y[2] / from.sizes.groups, V::LEN);
    for group in 0..from.sizes.groups {
        let first = group * per_group;
        for at in (0..per_group).step_by(2 * len) {
            if per_group - at > len {
                let ks = [first + at, first + (at + len).min(per_group - len)];
                sweep::<S, V, 2>(simd, from, group, ks, y)?;
            } else {
                sweep::<S, V, 1>(simd, from, group, [first + per_group - len], y)?;
            }
        }
    }
    Some(())
}

/// All pixels for the filters at `ks`, a row of taps after the other.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    from: &Operands,
    group: usize,
    ks: [usize; N],
    y: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let ([_, _, all], [fh, fw], k) = (sizes.x, sizes.filter, sizes.y[2]);
    let depth = all / sizes.groups;
    for fy in 0..fh {
        for rows in sizes.axis::<0>().runs() {
            for columns in sizes.axis::<1>().runs() {
                let meets = rows.taps.contains(&fy) && !columns.taps.is_empty();
                if !meets && fy > 0 {
                    continue;
                }
                let tap = fy * fw + columns.taps.start;
                let taps = Taps {
                    x: from.x,
                    // Beyond the filters if no tap meets the input.
                    weights: from
                        .filters
                        .get(tap * depth * k + ks[0]..)
                        .unwrap_or_default(),
                    start: match fy {
                        0 => Start::Bias(from.bias),
                        _ => Start::Sums,
                    },
                    clamp: None,
                    rows: if meets { columns.taps.len() } else { 0 },
                    row: depth,
                    x_pitch: all,
                    weight_pitch: depth * k,
                    weight_step: k,
                    apart: if N > 1 { ks[1] - ks[0] } else { 0 },
                    to: ks,
                };
                let first = [fy, columns.taps.start * all + group * depth];
                let mut walk = walk(sizes, [&rows, &columns], first);
                let pixels = rows.places.len() * columns.places.len();
                tile::sweep::<S, V, N>(simd, &taps, &mut walk, pixels, y)?;
            }
        }
    }
    Some(())
}
