//! Winograd's convolution in training: forward, and both gradients.
//!
//! ```text
//!  forward    y  = Aᵀ[ U ⊙ V ]A      U = G g Gᵀ of a strip of 16 filters at a time, V of x
//!  input      dx = the same of dy    U of the filters turned round, 16 depths at a time
//!  filters    dg = Aᵀ[ Z ⊙ V ]A      Z = G dy Gᵀ of the tiles of 16 filters, summed over all tiles
//! ```
//!
//! (The last one has F×F outputs and "filters" of M×M, so its Aᵀ and G are others: see
//! [`toom`](super::toom).) The filters change with every step, so nothing is packed: U is made anew for
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
use super::toom::{factors, sums};
use super::window::even;
use super::winograd::{self, Products, input, multiply, output, plane, reach};
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
struct Room<'a> {
    v: &'a mut [f32],
    m: &'a mut [f32],
    u: &'a mut [f32],
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
struct Operands<'a> {
    sizes: &'a Sizes,
    winograd: Winograd,
    tiles: usize,
    /// `[F][F][D][K]`, or, turned round, `[F][F][K][D]` of these sizes; or the gradient on y.
    filters: &'a [f32],
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

#[inline(always)]
fn correlate<S: Simd>(
    simd: S,
    from: &Operands,
    x: &[f32],
    room: &mut Room,
    d_filters: &mut [f32],
) -> Option<()> {
    match (from.winograd, from.sizes.filter[0]) {
        (Winograd::Two, 3) => gradient::<S, S::f32s, 1, 4, 2, 3>(simd, from, x, room, d_filters),
        (Winograd::Four, 3) => gradient::<S, S::f32s, 2, 6, 4, 3>(simd, from, x, room, d_filters),
        (Winograd::Four, 5) => gradient::<S, S::f32s, 3, 8, 4, 5>(simd, from, x, room, d_filters),
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

/// The gradient on the filters, a block of tiles and a strip of filters at a time.
#[inline(always)]
fn gradient<
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
    d_filters: &mut [f32],
) -> Option<()> {
    let sizes = from.sizes;
    let (depth, k) = (sizes.x[2], sizes.y[2]);
    let across = sizes.y[1].div_ceil(M);
    let corner = |tile: usize| [tile / across * M, tile % across * M];
    for tiles in even(sizes.y[0].div_ceil(M) * across, from.tiles) {
        let [v_plane, z_plane] = [plane(tiles.len(), depth), plane(tiles.len(), STRIP)];
        for (t, tile) in tiles.clone().enumerate() {
            let to = room.v.get_mut(t * depth..)?;
            input::<S, V, H, A>(simd, sizes, x, corner(tile), v_plane, to)?;
        }
        for (s, first) in starts(k).enumerate() {
            for (t, tile) in tiles.clone().enumerate() {
                let to = room.m.get_mut(t * STRIP..)?;
                slopes::<S, V, H, A, M>(simd, from, first, corner(tile), z_plane, to)?;
            }
            for position in 0..A * A {
                let v = room
                    .v
                    .get(position * v_plane..)?
                    .get(..tiles.len() * depth)?;
                let z = room
                    .m
                    .get(position * z_plane..)?
                    .get(..tiles.len() * STRIP)?;
                let to = room.u.get_mut(position * plane(depth, STRIP)..)?;
                match const { 2 * V::LEN <= STRIP } {
                    true => outer::<S, V, 6, 2>(simd, depth, v, z, to)?,
                    false => outer::<S, V, 12, 1>(simd, depth, v, z, to)?,
                }
            }
            let to = d_filters.get_mut(first..)?;
            add_sums::<S, V, H, A, F>(simd, sizes, s * STRIP - first, room.u, to)?;
        }
    }
    Some(())
}

/// Z = G dy Gᵀ of 16 filters' gradient on the outputs at `corner`, to every `plane` of `z`.
fn slopes<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const M: usize>(
    simd: S,
    from: &Operands,
    first: usize,
    corner: [usize; 2],
    plane: usize,
    z: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let [height, width, k] = from.sizes.y;
            let zero = V::splat(simd, 0.0);
            for at in (0..STRIP).step_by(V::LEN) {
                let mut tile = [[zero; M]; A];
                for c in 0..M {
                    let mut column = [zero; M];
                    for r in 0..M {
                        let [y, x] = [corner[0] + r, corner[1] + c];
                        if y < height && x < width {
                            let pixel = y * width + x;
                            column[r] = V::load(simd, from.filters, pixel * k + first + at)?;
                        }
                    }
                    let column = factors::<S, V, H, A, M>(simd, column);
                    for r in 0..A {
                        tile[r][c] = column[r];
                    }
                }
                for r in 0..A {
                    let row = factors::<S, V, H, A, M>(simd, tile[r]);
                    for c in 0..A {
                        row[c].store(z, (r * A + c) * plane + at);
                    }
                }
            }
            Some(())
        },
    )
}

/// `m[d][16] = Σ v[tile][d] · z[tile][16]`, in tiles of R × N vectors of registers.
fn outer<S: Simd, V: Lanes<S>, const R: usize, const N: usize>(
    simd: S,
    depth: usize,
    v: &[f32],
    z: &[f32],
    m: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let (last, (z, _)) = (depth.checked_sub(R)?, z.as_chunks::<STRIP>());
            if v.len() < z.len() * depth || !STRIP.is_multiple_of(N * V::LEN) {
                return None;
            }
            for d in (0..depth).step_by(R) {
                // The last rows end at the last depth, and may compute some a second time.
                let d = d.min(last);
                for at in (0..STRIP).step_by(N * V::LEN) {
                    let mut sums = [[V::splat(simd, 0.0); N]; R];
                    let mut row = d;
                    for z in z {
                        let mut vectors = [V::splat(simd, 0.0); N];
                        for n in 0..N {
                            // SAFETY: at + N · LEN <= STRIP, which N · LEN divides.
                            vectors[n] = unsafe { V::load_unchecked(simd, z, at + n * V::LEN) };
                        }
                        for r in 0..R {
                            // SAFETY: row + r < (z.len() − 1) · depth + last + R <= v.len().
                            let x = V::splat(simd, *unsafe { v.get_unchecked(row + r) });
                            for n in 0..N {
                                sums[r][n] = x.mul_add(vectors[n], sums[r][n]);
                            }
                        }
                        row += depth;
                    }
                    for r in 0..R {
                        for n in 0..N {
                            sums[r][n].store(m, (d + r) * STRIP + at + n * V::LEN);
                        }
                    }
                }
            }
            Some(())
        },
    )
}

/// Adds Aᵀ m A to the gradient of 16 filters, but for the first `done` of them.
fn add_sums<S: Simd, V: Lanes<S>, const H: usize, const A: usize, const F: usize>(
    simd: S,
    sizes: &Sizes,
    done: usize,
    m: &[f32],
    d_filters: &mut [f32],
) -> Option<()> {
    simd.vectorize(
        #[inline(always)]
        || {
            let (depth, k) = (sizes.x[2], sizes.y[2]);
            let zero = V::splat(simd, 0.0);
            for d in 0..depth {
                for at in (0..STRIP).step_by(V::LEN) {
                    let mut tile = [[zero; A]; F];
                    for c in 0..A {
                        let mut column = [zero; A];
                        for r in 0..A {
                            let position = (r * A + c) * plane(depth, STRIP);
                            column[r] = V::load(simd, m, position + d * STRIP + at)?;
                        }
                        let column = sums::<S, V, H, A, F>(simd, column);
                        for r in 0..F {
                            tile[r][c] = column[r];
                        }
                    }
                    for r in 0..F {
                        let row = sums::<S, V, H, A, F>(simd, tile[r]);
                        for c in 0..F {
                            let to = ((r * F + c) * depth + d) * k + at;
                            let sum = match done.saturating_sub(at) {
                                0 => row[c],
                                done => row[c].clear_below(done.min(V::LEN)),
                            };
                            V::load(simd, d_filters, to)?.add(sum).store(d_filters, to);
                        }
                    }
                }
            }
            Some(())
        },
    )
}
