//! Winograd's convolution in training: forward, and both gradients.
//!
//! ```text
//!  forward    y  = Aᵀ[ U ⊙ V ]A      U = G g Gᵀ of a strip of 16 filters at a time, V of x
//!  input      dx = the same of dy    U of the filters turned round, 16 depths at a time
//!  filters    dg = Aᵀ[ Z ⊙ V ]A      Z = G dy Gᵀ of the tiles of 16 filters, summed over all tiles
//! ```
//!
//! The last one is in [`winograd_gradient`](super::winograd_gradient). The filters change with every step, so nothing is packed: U is made anew for
//! each image, and is used while it is in the second-level cache.

#![expect(
    clippy::needless_range_loop,
    reason = "the registers of a tile are numbered"
)]

use fearless_simd::Simd;

use super::conv_filters::sum_rows;
use super::lanes::Lanes;
use super::level::dispatch;
use super::strips::{STRIP, starts};
use super::toom::factors;
use super::window::even;
use super::winograd::{self, Products, input, multiply, output, plane, reach};
use super::winograd_gradient::correlate;
use super::{Algorithm, Clamp, Packed, Sizes, Winograd};

/// Which of the three.
#[derive(Clone, Copy)]
pub(super) enum Pass {
    Forward,
    Input,
    Filters,
}

/// The tile for a pass; `None` if the direct sum is faster.
pub(super) const fn choose(sizes: &Sizes, pass: Pass) -> Option<Winograd> {
    let ([_, _, depth], [height, width, k]) = (sizes.x, sizes.y);
    let f = sizes.filter[0];
    let fits = matches!(sizes.filter, [3, 3] | [5, 5])
        && matches!(sizes.stride, [1, 1])
        && matches!(sizes.dilation, [1, 1])
        && sizes.before[0] < f
        && sizes.before[1] < f
        && depth >= STRIP
        && k >= STRIP;
    if !fits {
        return None;
    }
    let mut least = (f * f * depth * k) as u64 * (height * width) as u64 / 16;
    let (mut best, mut i) = (None, 0);
    while i < 2 {
        let winograd = [Winograd::Two, Winograd::Four][i];
        let cost = cost(sizes, pass, winograd);
        if (f == 3 || matches!(winograd, Winograd::Four)) && cost < least {
            (best, least) = (Some(winograd), cost);
        }
        i += 1;
    }
    best
}

/// As [`Algorithm::choose`] estimates it, with U or what becomes of the sums on top.
const fn cost(sizes: &Sizes, pass: Pass, winograd: Winograd) -> u64 {
    let ([_, _, depth], [.., k]) = (sizes.x, sizes.y);
    let [height, width, _] = match pass {
        Pass::Input => sizes.x,
        Pass::Forward | Pass::Filters => sizes.y,
    };
    let side = winograd.side();
    let points = (reach(sizes, side) * reach(sizes, side)) as u64;
    let tiles = (height.div_ceil(side) * width.div_ceil(side)) as u64;
    let filters = (depth * k) as u64;
    tiles * points * filters / 16 + tiles * points * (depth + k) as u64 + filters * (points / 2 + 4)
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
pub(super) const fn scratch(sizes: &Sizes) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < 3 {
        let pass = [Pass::Forward, Pass::Input, Pass::Filters][i];
        if let Some(winograd) = choose(sizes, pass) {
            let scratch = needs(sizes, pass, winograd);
            if scratch > most {
                most = scratch;
            }
        }
        i += 1;
    }
    most
}

/// Scalars to work in.
pub(super) const fn needs(sizes: &Sizes, pass: Pass, winograd: Winograd) -> usize {
    match pass {
        Pass::Input => parts(&turned(sizes), winograd).end,
        Pass::Forward | Pass::Filters => parts(sizes, winograd).end,
    }
}

/// How the scratch is divided: V, M or Z of a strip, and U or the sums of one; then filters turned
/// round, or a bias of zeros.
struct Parts {
    tiles: usize,
    v: usize,
    m: usize,
    u: usize,
    rest: usize,
    end: usize,
}

const fn parts(sizes: &Sizes, winograd: Winograd) -> Parts {
    let (depth, [height, width, k]) = (sizes.x[2], sizes.y);
    let side = winograd.side();
    let points = reach(sizes, side) * reach(sizes, side);
    let all = height.div_ceil(side) * width.div_ceil(side);
    let tiles = if all < MOST { all } else { MOST };
    let [v, m] = [points * plane(tiles, depth), points * plane(tiles, STRIP)];
    let u = points * plane(depth, STRIP);
    let taps = sizes.filter[0] * sizes.filter[1];
    let rest = taps * plane(depth, STRIP) + k.next_multiple_of(STRIP);
    Parts {
        tiles,
        v,
        m,
        u,
        rest,
        end: v + m + u + rest,
    }
}

/// Tiles at most that are worked on together.
const MOST: usize = 64;

/// `y = bias + Σ x · filters`.
#[inline(never)]
pub(super) fn forward(
    sizes: &Sizes,
    winograd: Winograd,
    x: &[f32],
    (filters, bias): (&[f32], &[f32]),
    scratch: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let parts = parts(sizes, winograd);
    let mut room = Room::new(&parts, scratch)?;
    let from = Operands {
        sizes,
        winograd,
        tiles: parts.tiles,
        filters,
        turned: false,
    };
    dispatch!(simd => convolve(simd, &from, bias, x, &mut room, y))
}

/// `dx = Σ dy · filters`.
#[inline(never)]
pub(super) fn backward_input(
    sizes: &Sizes,
    winograd: Winograd,
    dy: &[f32],
    filters: &[f32],
    scratch: &mut [f32],
    dx: &mut [f32],
) -> Option<()> {
    let sizes = &turned(sizes);
    let parts = parts(sizes, winograd);
    let mut room = Room::new(&parts, scratch)?;
    let (bias, rest) = core::mem::take(&mut room.rest).split_at_mut_checked(sizes.y[2])?;
    bias.fill(0.0);
    room.rest = rest;
    let from = Operands {
        sizes,
        winograd,
        tiles: parts.tiles,
        filters,
        turned: true,
    };
    dispatch!(simd => convolve(simd, &from, bias, dy, &mut room, dx))
}

/// `d_filters += Σ x · dy`, and `d_bias += Σ dy`.
#[inline(never)]
pub(super) fn add_gradient(
    sizes: &Sizes,
    winograd: Winograd,
    (x, dy): (&[f32], &[f32]),
    scratch: &mut [f32],
    d_filters: &mut [f32],
    d_bias: &mut [f32],
) -> Option<()> {
    let parts = parts(sizes, winograd);
    let mut room = Room::new(&parts, scratch)?;
    let from = Operands {
        sizes,
        winograd,
        tiles: parts.tiles,
        filters: dy,
        turned: false,
    };
    dispatch!(simd => correlate(simd, &from, x, &mut room, d_filters))?;
    dispatch!(simd => sum_rows(simd, dy, d_bias))
}

/// The scratch.
pub(super) struct Room<'a> {
    pub(super) v: &'a mut [f32],
    pub(super) m: &'a mut [f32],
    pub(super) u: &'a mut [f32],
    rest: &'a mut [f32],
}

impl<'a> Room<'a> {
    fn new(parts: &Parts, scratch: &'a mut [f32]) -> Option<Self> {
        let (v, scratch) = scratch.split_at_mut_checked(parts.v)?;
        let (m, scratch) = scratch.split_at_mut_checked(parts.m)?;
        let (u, scratch) = scratch.split_at_mut_checked(parts.u)?;
        let rest = scratch.get_mut(..parts.rest)?;
        Some(Self { v, m, u, rest })
    }
}

/// What a pass works with, besides the volumes.
pub(super) struct Operands<'a> {
    pub(super) sizes: &'a Sizes,
    pub(super) winograd: Winograd,
    pub(super) tiles: usize,
    /// `[F][F][D][K]`, or, turned round, `[F][F][K][D]` of these sizes; or the gradient on y.
    pub(super) filters: &'a [f32],
    turned: bool,
}

#[inline(always)]
fn convolve<S: Simd>(
    simd: S,
    from: &Operands,
    bias: &[f32],
    x: &[f32],
    room: &mut Room,
    y: &mut [f32],
) -> Option<()> {
    match (from.winograd, from.sizes.filter[0]) {
        (Winograd::Two, 3) => products::<S, S::f32s, 1, 4, 2, 3>(simd, from, bias, x, room, y),
        (Winograd::Four, 3) => products::<S, S::f32s, 2, 6, 4, 3>(simd, from, bias, x, room, y),
        (Winograd::Four, 5) => products::<S, S::f32s, 3, 8, 4, 5>(simd, from, bias, x, room, y),
        _ => None,
    }
}

/// y, a block of tiles and a strip of its filters at a time.
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
    bias: &[f32],
    x: &[f32],
    room: &mut Room,
    y: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let (depth, k) = (sizes.x[2], sizes.y[2]);
    let packed = Packed {
        sizes,
        algorithm: Algorithm::Winograd(from.winograd),
        packed: &[],
        bias,
        clamp: Clamp::None,
        threads: 1,
    };
    let across = sizes.y[1].div_ceil(M);
    let corner = |tile: usize| [tile / across * M, tile % across * M];
    for tiles in even(sizes.y[0].div_ceil(M) * across, from.tiles) {
        let [v_plane, m_plane] = [plane(tiles.len(), depth), plane(tiles.len(), STRIP)];
        for (t, tile) in tiles.clone().enumerate() {
            let to = room.v.get_mut(t * depth..)?;
            input::<S, V, H, A>(simd, sizes, x, corner(tile), v_plane, to)?;
        }
        for first in starts(k) {
            match from.turned {
                false => {
                    let taps = from.filters.get(first..)?;
                    points::<S, V, H, A, F>(simd, depth, taps, [depth * k, k], room.u)?;
                }
                true => {
                    turn::<S, V, F>(simd, sizes, from.filters, first, room.rest)?;
                    let pitch = [plane(depth, STRIP), STRIP];
                    points::<S, V, H, A, F>(simd, depth, room.rest, pitch, room.u)?;
                }
            }
            for position in 0..A * A {
                let operands = winograd::Operands {
                    v: room.v.get(position * v_plane..)?,
                    weights: room.u.get(position * plane(depth, STRIP)..)?,
                    far: false,
                    tiles: tiles.len(),
                    depth,
                    filters: STRIP,
                };
                multiply::<S, V>(simd, &operands, room.m.get_mut(position * m_plane..)?)?;
            }
            for (t, tile) in tiles.clone().enumerate() {
                let m = Products {
                    m: room.m.get(t * STRIP..)?,
                    plane: m_plane,
                    filters: first..first + STRIP,
                };
                output::<S, V, H, A, M>(simd, &packed, &m, corner(tile), y)?;
            }
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
                for at in (0..STRIP).step_by(V::LEN) {
                    let mut tile = [[zero; F]; A];
                    for c in 0..F {
                        let mut column = [zero; F];
                        for r in 0..F {
                            let tap = (r * F + c) * pitch[0] + d * pitch[1];
                            column[r] = V::load(simd, taps, tap + at)?;
                        }
                        let column = factors::<S, V, H, A, F>(simd, column);
                        for r in 0..A {
                            tile[r][c] = column[r];
                        }
                    }
                    for r in 0..A {
                        let row = factors::<S, V, H, A, F>(simd, tile[r]);
                        for c in 0..A {
                            row[c].store(u, (r * A + c) * plane(depth, STRIP) + d * STRIP + at);
                        }
                    }
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
                for at in (0..STRIP).step_by(V::LEN) {
                    for d in (0..depth).step_by(V::LEN) {
                        let d = d.min(depth - V::LEN);
                        let mut rows = [V::splat(simd, 0.0); STRIP];
                        for i in 0..V::LEN {
                            let row = (turned * k + first + at + i) * depth;
                            rows[i] = V::load(simd, filters, row + d)?;
                        }
                        let rows = transposed::<S, V>(rows);
                        for i in 0..V::LEN {
                            rows[i].store(to, tap * plane(depth, STRIP) + (d + i) * STRIP + at);
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
fn transposed<S: Simd, V: Lanes<S>>(rows: [V; STRIP]) -> [V; STRIP] {
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
