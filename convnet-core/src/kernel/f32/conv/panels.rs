//! Convolution over packed filters: panels of 16 filters, each contiguous.
//!
//! ```text
//!   filters [fy][fx][d][K]   ──pack──▶   [panel][fy][fx][d][16]
//!   ├── 0..16 ──┼─ 16..32 ─┼── … ┤       the last panel ends at the last filter, and may repeat
//!                                        some of the one before
//! ```
//!
//! **Invariant:** each sum begins with its bias, and is whole when it is stored; so filters that two
//! panels have are computed twice, and are right both times. Sums that are added to what lies where they go
//! are stored once: no two panels have the same filters then.
//!
//! As declared, a panel's rows lie K apart: far enough, for the powers of two that K mostly is, to
//! fall into the same few sets of a cache. Packed, a panel is read from end to end.

use fearless_simd::Simd;

use super::walk;
use crate::kernel::cache::{L2, scalars};
use crate::kernel::f32::tile::{self, Start, Taps};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::simd::level::dispatch;
use crate::kernel::simd::registers::groups;
use crate::kernel::window::{Walk, even};
use crate::kernel::{Packed, Scale, Sizes};

/// Filters in a panel: a cache line, and the widest vector.
pub(crate) const PANEL: usize = 16;

/// Panels that a tile takes beside each other, at the level of this target that takes the most.
pub(crate) const MOST: usize = match cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    true => 4,
    false => 1,
};

/// Scalars of the packed filters; there is at least a panel of them.
pub(crate) const fn packed(sizes: &Sizes) -> usize {
    sizes.filter[0] * sizes.filter[1] * sizes.x[2] * PANEL * sizes.y[2].div_ceil(PANEL)
}

/// The first filter of each panel of `k`.
pub(crate) fn starts(k: usize) -> impl Iterator<Item = usize> {
    (0..k).step_by(PANEL).map(move |at| at.min(k - PANEL))
}

pub(crate) fn pack(sizes: &Sizes, filters: &[f32], scale: Scale<'_>, packed: &mut [f32]) {
    let k = sizes.y[2];
    let panels = packed.chunks_exact_mut(filters.len() / k * PANEL);
    for (at, panel) in starts(k).zip(panels) {
        let (to, _) = panel.as_chunks_mut::<PANEL>();
        for (to, from) in to.iter_mut().zip(filters.chunks_exact(k)) {
            for (i, to) in to.iter_mut().enumerate() {
                *to = from[at + i] * scale.of(at + i);
            }
        }
    }
}

#[inline(never)]
pub(crate) fn forward(from: &Packed<'_, f32>, x: &[f32], y: &mut [f32]) -> Option<()> {
    forward_in_blocks(from, scalars::<f32>(L2 / 4), x, y)
}

/// As [`forward`], in blocks of so many scalars of `x` and `y`; of a row at least.
#[inline(always)]
pub(crate) fn forward_in_blocks(
    from: &Packed<'_, f32>,
    near: usize,
    x: &[f32],
    y: &mut [f32],
) -> Option<()> {
    dispatch!(simd => forward_with(simd, from, near, x, y))
}

/// Block by block: all panels pass over a few rows of `x` and `y` while they are near, if that takes several
/// passes, and the filters, which are read again for each block, are near too.
#[inline(always)]
fn forward_with<S: Simd>(
    simd: S,
    from: &Packed<'_, f32>,
    near: usize,
    x: &[f32],
    y: &mut [f32],
) -> Option<()> {
    let ([_, across, depth], [height, width, k]) = (from.sizes.x, from.sizes.y);
    let row = width * k + from.sizes.stride[0] * across * depth;
    let beside = const { Panels::beside::<S, S::f32s>() };
    let again = k > beside * PANEL;
    let rows = match from.packed.len() <= scalars::<f32>(L2 / 2) && again {
        true => (near / row.max(1)).max(1),
        false => height,
    };
    for rows in even(height, rows) {
        let y = y.get_mut(rows.start * width * k..rows.end * width * k)?;
        let (sizes, start) = from.sizes.rows(rows);
        let from = Packed {
            sizes: &sizes,
            ..*from
        };
        all_panels::<S, S::f32s>(simd, &from, x.get(start * across * depth..)?, y)?;
    }
    Some(())
}

#[inline(always)]
fn all_panels<S: Simd, V: Lanes<S>>(
    simd: S,
    from: &Packed<'_, f32>,
    x: &[f32],
    y: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let ([_, width, depth], [fh, fw], k) = (sizes.x, sizes.filter, sizes.y[2]);
    let row = fw * depth;
    let panels = Panels {
        k,
        len: fh * row * PANEL,
    };
    for (panel, count) in panels.groups::<S, V>() {
        let weights = from.packed.get(panel * panels.len..)?;
        for rows in sizes.axis::<0>().runs() {
            for columns in sizes.axis::<1>().runs() {
                let first = [rows.taps.start, columns.taps.start * depth];
                let taps = Taps {
                    x,
                    weights: weights
                        .get((first[0] * row + first[1]) * PANEL..)
                        .unwrap_or_default(),
                    start: match from.onto {
                        true => Start::Onto(from.bias),
                        false => Start::Bias(from.bias),
                    },
                    clamp: from.clamp.bounds(),
                    rows: if columns.taps.is_empty() {
                        0
                    } else {
                        rows.taps.len()
                    },
                    row: columns.taps.len() * depth,
                    x_pitch: width * depth,
                    weight_pitch: row * PANEL,
                    weight_step: PANEL,
                    apart: 0,
                    to: [],
                };
                let walk = walk(sizes, [&rows, &columns], first);
                let pixels = rows.places.len() * columns.places.len();
                panels.sweep::<S, V>(simd, &taps, (panel, count), (&walk, pixels), y)?;
            }
        }
    }
    Some(())
}

/// Panels of `k` filters, one every `len` scalars.
pub(crate) struct Panels {
    pub(crate) k: usize,
    pub(crate) len: usize,
}

impl Panels {
    /// Those that a tile takes at once: the first, and how many.
    #[inline(always)]
    pub(crate) fn groups<S: Simd, V: Lanes<S>>(&self) -> impl Iterator<Item = (usize, usize)> {
        groups(self.k.div_ceil(PANEL), const { Self::beside::<S, V>() })
    }

    /// How many at most.
    pub(crate) const fn beside<S: Simd, V: Lanes<S>>() -> usize {
        match tile::vectors::<S>() * V::LEN / PANEL {
            0 => 1,
            panels => panels,
        }
    }

    /// So many pixels of a walk for `count` panels from `panel` on, whose weights are the first of `taps`.
    #[inline(always)]
    pub(crate) fn sweep<S: Simd, V: Lanes<S>>(
        &self,
        simd: S,
        taps: &Taps<'_, 0>,
        (panel, count): (usize, usize),
        (walk, pixels): (&Walk, usize),
        y: &mut [f32],
    ) -> Option<()> {
        let to = |n: usize| ((panel + n) * PANEL).min(self.k - PANEL);
        let vectors = const { tile::vectors::<S>() };
        if const { V::LEN == PANEL } {
            let len = self.len;
            return match count {
                1 => sweep::<S, V, 1>(simd, &taps.at(0, 0, [to(0)]), walk, pixels, y),
                2 => sweep::<S, V, 2>(simd, &taps.at(0, len, [to(0), to(1)]), walk, pixels, y),
                _ => {
                    let taps = taps.at(0, len, [to(0), to(1), to(2), to(3)]);
                    sweep::<S, V, 4>(simd, &taps, walk, pixels, y)
                }
            };
        }
        for at in (0..PANEL).step_by(vectors * V::LEN) {
            let to = |n: usize| to(0) + at + n * V::LEN;
            if const { tile::vectors::<S>() == 4 } {
                let taps = taps.at(at, V::LEN, [to(0), to(1), to(2), to(3)]);
                sweep::<S, V, 4>(simd, &taps, walk, pixels, y)?;
            } else {
                let taps = taps.at(at, V::LEN, [to(0), to(1)]);
                sweep::<S, V, 2>(simd, &taps, walk, pixels, y)?;
            }
        }
        Some(())
    }
}

/// So many pixels of a walk, which stays where it is.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    taps: &Taps<'_, N>,
    walk: &Walk,
    pixels: usize,
    y: &mut [f32],
) -> Option<()> {
    tile::sweep::<S, V, N>(simd, taps, &mut walk.clone(), pixels, y)
}
