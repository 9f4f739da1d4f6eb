//! The gradient on the input of a batch norm, for some depth slices at a time: whatever is the same for
//! all pixels stays in registers.

use core::array::from_fn;

use fearless_simd::Simd;

use crate::kernel::simd::lanes::{Lanes, widest};
use crate::kernel::simd::level::dispatch;

/// Some depth slices, and what a gradient needs to know of each.
pub(crate) struct Slope<'a> {
    /// How many depth slices the volume has.
    pub(crate) depth: usize,
    /// The first of them.
    pub(crate) start: usize,
    /// One number a depth slice: scale, mean of dy, mean of x, slope.
    pub(crate) of: [&'a [f32]; 4],
}

#[inline(never)]
pub(crate) fn backward(by: &Slope, x: &[f32], dy: &[f32], dx: &mut [f32]) -> Option<()> {
    dispatch!(simd => backward_with(simd, by, x, dy, dx))
}

#[inline(always)]
fn backward_with<S: Simd>(
    simd: S,
    by: &Slope,
    x: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) -> Option<()> {
    let [scale, ..] = by.of;
    widest!(simd: S, scale.len(), sweep(by, x, dy, dx))
}

/// Two vectors at a time, which are a cache line of AVX2. The last one ends at the last depth slice, and
/// computes some a second time, from what is not written here.
#[inline(always)]
fn sweep<S: Simd, V: Lanes<S>>(
    simd: S,
    by: &Slope,
    x: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) -> Option<()> {
    let ([scale, ..], len) = (by.of, V::LEN);
    let slices = scale.len();
    for at in (0..slices).step_by(2 * len) {
        if slices - at > len {
            pixels::<S, V, 2>(simd, by, [at, (at + len).min(slices - len)], x, dy, dx)?;
        } else {
            pixels::<S, V, 1>(simd, by, [slices - len], x, dy, dx)?;
        }
    }
    Some(())
}

#[inline(always)]
fn pixels<S: Simd, V: Lanes<S>, const N: usize>(
    simd: S,
    by: &Slope,
    ats: [usize; N],
    x: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) -> Option<()> {
    let mut of = [[V::splat(simd, 0.0); N]; 4];
    for (of, from) in of.iter_mut().zip(by.of) {
        for (of, at) in of.iter_mut().zip(ats) {
            *of = V::load(simd, from, at)?;
        }
    }
    let minus = V::splat(simd, -1.0);
    let [scale, of_dy, mean, slope] = of;
    let [of_dy, mean, slope] = [of_dy, mean, slope].map(|of| of.map(|v| v.mul(minus)));
    let places: [_; N] = from_fn(|n| by.start + ats[n]);
    let read = x.chunks_exact(by.depth).zip(dy.chunks_exact(by.depth));
    for (dx, (x, dy)) in dx.chunks_exact_mut(by.depth).zip(read) {
        for n in 0..N {
            let x = V::load(simd, x, places[n])?.add(mean[n]);
            let dy = V::load(simd, dy, places[n])?.add(of_dy[n]);
            let product = x.mul(slope[n]);
            dy.add(product).mul(scale[n]).store(dx, places[n]);
        }
    }
    Some(())
}
