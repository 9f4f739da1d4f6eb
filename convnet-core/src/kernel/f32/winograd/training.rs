//! Winograd's convolution in training, over filters as they are declared: forward, and the gradient on the
//! input.
//!
//! ```text
//!  forward    y  = Aᵀ[ U ⊙ V ]A      U = G g Gᵀ of a panel of 16 filters at a time, V of x
//!  input      dx = the same of dy    U of the filters turned round, 16 depths at a time
//! ```
//!
//! The filters change with every step, so nothing is packed: U is made anew for each image, and is used
//! while it is in the second-level cache. The gradient on the [filters](super::filter_grad) is chosen
//! here, too, and works in the same scratch.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::transform::spread;
use super::{Products, inputs, multiply, outputs, plane, reach};
use crate::kernel::f32::conv::panels::{PANEL, starts};
use crate::kernel::simd::lanes::Lanes;
use crate::kernel::simd::level::dispatch;
use crate::kernel::window::even;
use crate::kernel::{Algorithm, Clamp, Packed, Sizes, Winograd, estimate};

/// Which of the three convolutions.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Forward,
    BackwardInput,
    BackwardFilters,
}

/// The tile for a direction; `None` if the direct sum is faster.
pub(crate) const fn choose(sizes: &Sizes, direction: Direction) -> Option<Winograd> {
    let [fh, fw] = sizes.filter;
    // What is turned round has no negative padding.
    if sizes.before[0] >= fh || sizes.before[1] >= fw || !sizes.are_of_a_conv() {
        return None;
    }
    let turned = direction.sizes(sizes);
    let (mut best, mut least, mut i) = (None, estimate::of_training(sizes, None), 0);
    while i < 2 {
        let winograd = [Winograd::Two, Winograd::Four][i];
        // Not before it is known that it can: only then is every product a number.
        if Algorithm::Winograd(winograd).can(sizes) {
            let time = estimate::of_training(&turned, Some(winograd));
            if time < least {
                (best, least) = (Some(winograd), time);
            }
        }
        i += 1;
    }
    best
}

impl Direction {
    /// The sizes of the convolution that it is.
    const fn sizes(self, sizes: &Sizes) -> Sizes {
        match self {
            Self::BackwardInput => turned(sizes),
            Self::Forward | Self::BackwardFilters => *sizes,
        }
    }
}

/// The convolution whose output is the gradient on the input.
const fn turned(sizes: &Sizes) -> Sizes {
    let ([fh, fw], [top, left]) = (sizes.filter, sizes.before);
    Sizes {
        x: sizes.y,
        y: sizes.x,
        before: [fh - 1 - top, fw - 1 - left],
        ..*sizes
    }
}

/// Scalars to work in, for all three; 0 if all are direct sums.
pub(crate) const fn scratch(sizes: &Sizes) -> usize {
    use Direction::{BackwardFilters, BackwardInput, Forward};
    let (mut most, mut i) = (0, 0);
    while i < 3 {
        let direction = [Forward, BackwardInput, BackwardFilters][i];
        if let Some(winograd) = choose(sizes, direction) {
            let scratch = needs(sizes, direction, winograd);
            if scratch > most {
                most = scratch;
            }
        }
        i += 1;
    }
    most
}

/// Scalars to work in.
pub(crate) const fn needs(sizes: &Sizes, direction: Direction, winograd: Winograd) -> usize {
    let [v, m, u, turned, bias] = regions(&direction.sizes(sizes), winograd);
    v + m + u + turned + bias
}

/// How the scratch is divided: V, M or Z of a panel, and U or the sums of one; then, of the gradient on the
/// input, the filters turned round and a bias of zeros.
const fn regions(sizes: &Sizes, winograd: Winograd) -> [usize; 5] {
    let (depth, side) = (sizes.x[2], winograd.side());
    let points = reach(sizes, side) * reach(sizes, side);
    let all = super::tiles(sizes, side);
    let tiles = if all < MOST { all } else { MOST };
    [
        points * plane(tiles, depth),
        points * plane(tiles, PANEL),
        points * plane(depth, PANEL),
        sizes.filter[0] * sizes.filter[1] * plane(depth, PANEL),
        sizes.y[2].next_multiple_of(PANEL),
    ]
}

/// Tiles at most that are worked on together.
pub(crate) const MOST: usize = 64;

/// `y = bias + Σ x · filters`.
#[inline(never)]
pub(crate) fn forward(
    sizes: &Sizes,
    winograd: Winograd,
    x: &[f32],
    (filters, bias): (&[f32], &[f32]),
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let (mut room, _) = Room::new(sizes, winograd, scratch)?;
    let from = Operands {
        packed: unpacked(sizes, winograd, bias),
        winograd,
        filters,
        turned: false,
    };
    dispatch!(simd => convolve(simd, &from, x, &mut room, y))
}

/// `dx = Σ dy · filters`.
#[inline(never)]
pub(crate) fn backward_input(
    sizes: &Sizes,
    winograd: Winograd,
    dy: &[f32],
    filters: &[f32],
    scratch: &mut [f32],
    dx: &mut [f32],
) -> Option<()> {
    let sizes = &turned(sizes);
    let (mut room, bias) = Room::new(sizes, winograd, scratch)?;
    bias.fill(0.0);
    let from = Operands {
        packed: unpacked(sizes, winograd, bias),
        winograd,
        filters,
        turned: true,
    };
    dispatch!(simd => convolve(simd, &from, dy, &mut room, dx))
}

/// The scratch, but for a bias.
pub(crate) struct Room<'a> {
    pub(crate) v: &'a mut [f32],
    pub(crate) m: &'a mut [f32],
    pub(crate) u: &'a mut [f32],
    turned: &'a mut [f32],
}

impl<'a> Room<'a> {
    pub(crate) fn new(
        sizes: &Sizes,
        winograd: Winograd,
        scratch: &'a mut [f32],
    ) -> Option<(Self, &'a mut [f32])> {
        let [v, m, u, turned, _] = regions(sizes, winograd);
        let (v, scratch) = scratch.split_at_mut_checked(v)?;
        let (m, scratch) = scratch.split_at_mut_checked(m)?;
        let (u, scratch) = scratch.split_at_mut_checked(u)?;
        let (turned, scratch) = scratch.split_at_mut_checked(turned)?;
        let bias = scratch.get_mut(..sizes.y[2])?;
        Some((Self { v, m, u, turned }, bias))
    }
}

/// What a convolution works with, besides the volumes.
struct Operands<'a> {
    /// Its sizes and bias.
    packed: Packed<'a, f32>,
    winograd: Winograd,
    /// `[F][F][D][K]`, or, turned round, `[F][F][K][D]` of these sizes.
    filters: &'a [f32],
    turned: bool,
}

/// A convolution whose filters are not packed.
fn unpacked<'a>(sizes: &'a Sizes, winograd: Winograd, bias: &'a [f32]) -> Packed<'a, f32> {
    Packed {
        sizes,
        algorithm: Algorithm::Winograd(winograd),
        packed: &[],
        bias,
        onto: false,
        clamp: Clamp::None,
        threads: 1,
    }
}

#[inline(always)]
fn convolve<S: Simd>(
    simd: S,
    from: &Operands,
    x: &[f32],
    room: &mut Room,
    y: &mut [f32],
) -> Option<()> {
    match (from.winograd, from.packed.sizes.filter[0]) {
        (Winograd::Two, 3) => products::<S, S::f32s, 1, 4, 2, 3>(simd, from, x, room, y),
        (Winograd::Four, 3) => products::<S, S::f32s, 2, 6, 4, 3>(simd, from, x, room, y),
        (Winograd::Four, 5) => products::<S, S::f32s, 3, 8, 4, 5>(simd, from, x, room, y),
        _ => None,
    }
}

/// y, a block of tiles and a panel of its filters at a time.
#[inline(always)]
fn products<
    S: Simd,
    V: Lanes<S>,
    const H: usize,
    const A: usize,
    const M: usize,
    const F: usize,
>(
    simd: S,
    from: &Operands,
    x: &[f32],
    room: &mut Room,
    y: &mut [f32],
) -> Option<()> {
    let sizes = from.packed.sizes;
    let (depth, k) = (sizes.x[2], sizes.y[2]);
    for tiles in even(super::tiles(sizes, M), MOST) {
        let [v_plane, m_plane] = [plane(tiles.len(), depth), plane(tiles.len(), PANEL)];
        inputs::<S, V, H, A, M>(simd, sizes, x, &tiles, v_plane, room.v)?;
        for first in starts(k) {
            match from.turned {
                false => {
                    let taps = from.filters.get(first..)?;
                    points::<S, V, H, A, F>(simd, depth, taps, [depth * k, k], room.u)?;
                }
                true => {
                    turn::<S, V, F>(simd, sizes, from.filters, first, room.turned)?;
                    let pitch = [plane(depth, PANEL), PANEL];
                    points::<S, V, H, A, F>(simd, depth, room.turned, pitch, room.u)?;
                }
            }
            for position in 0..A * A {
                let operands = super::Operands {
                    v: room.v.get(position * v_plane..)?,
                    weights: room.u.get(position * plane(depth, PANEL)..)?,
                    tiles: tiles.len(),
                    depth,
                    filters: PANEL,
                };
                multiply::<S, V>(simd, &operands, room.m.get_mut(position * m_plane..)?)?;
            }
            let m = Products {
                m: room.m,
                plane: m_plane,
                filters: first..first + PANEL,
            };
            outputs::<S, V, H, A, M>(simd, &from.packed, &m, &tiles, y)?;
        }
    }
    Some(())
}

/// U = G g Gᵀ of 16 filters, `[position][d][16]`. `taps` are `[F·F][d]` rows, so far apart.
fn points<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const F: usize>(
    simd: S,
    depth: usize,
    taps: &[f32],
    pitch: [usize; 2],
    u: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let zero = V::splat(simd, 0.0);
            for d in 0..depth {
                for at in (0..PANEL).step_by(V::LEN) {
                    let mut g = [[zero; F]; F];
                    for tap in 0..F * F {
                        let from = tap * pitch[0] + d * pitch[1] + at;
                        g[tap / F][tap % F] = V::load(simd, taps, from)?;
                    }
                    let to = d * PANEL + at;
                    spread::<S, V, H, A, F>(simd, g, u, plane(depth, PANEL), to);
                }
            }
            Some(())
        },
    )
}

/// The filters of 16 outputs from `first` on, turned round: `[tap][d][16]` of `[tap][K][D]`.
fn turn<S: Simd, V: Lanes<S>, const F: usize>(
    simd: S,
    sizes: &Sizes,
    filters: &[f32],
    first: usize,
    to: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let (depth, k) = (sizes.x[2], sizes.y[2]);
            for tap in 0..F * F {
                let turned = F * F - 1 - tap;
                for at in (0..PANEL).step_by(V::LEN) {
                    for d in (0..depth).step_by(V::LEN) {
                        let d = d.min(depth - V::LEN);
                        let mut rows = [V::splat(simd, 0.0); PANEL];
                        for i in 0..V::LEN {
                            let row = (turned * k + first + at + i) * depth;
                            rows[i] = V::load(simd, filters, row + d)?;
                        }
                        let rows = transposed::<S, V>(rows);
                        for i in 0..V::LEN {
                            rows[i].store(to, tap * plane(depth, PANEL) + (d + i) * PANEL + at);
                        }
                    }
                }
            }
            Some(())
        },
    )
}

/// The square of the first L rows of L lanes, by its diagonal: of the bits of a scalar's row and lane,
/// each round brings one to the other side.
#[inline(always)]
fn transposed<S: Simd, V: Lanes<S>>(rows: [V; PANEL]) -> [V; PANEL] {
    let mut rows = rows;
    let mut bit = 1;
    while bit < V::LEN {
        for i in 0..V::LEN {
            if i & bit == 0 {
                [rows[i], rows[i + bit]] = rows[i].unzip(rows[i + bit]);
            }
        }
        bit *= 2;
    }
    rows
}
