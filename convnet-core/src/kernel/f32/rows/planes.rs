//! Rows as planes, one a depth, and back: what [`rows`](super) works on.

use fearless_simd::Simd;

use crate::kernel::Sizes;
use crate::kernel::simd::lanes::Lanes;
use crate::scalar::real::beats;

/// One row of `x`, plane by plane; its first pixel comes after the zeros before it.
#[inline(always)]
pub(crate) fn lay(sizes: &Sizes, plane: usize, x: &[f32], iy: usize, to: &mut [f32]) -> Option<()> {
    let ([_, width, depth], before) = (sizes.x, sizes.before[1]);
    let row = x.get(iy * width * depth..(iy + 1) * width * depth)?;
    let seen = plane.saturating_sub(before).min(width);
    match depth {
        1 => to
            .get_mut(before..before + seen)?
            .copy_from_slice(row.get(..seen)?),
        3 => split::<3>(row, seen, plane, to.get_mut(before..)?),
        _ => {
            for (d, plane) in to.chunks_exact_mut(plane).enumerate() {
                let plane = plane.get_mut(before..before + seen)?;
                let pixels = row.chunks_exact(depth);
                pixels.zip(plane).for_each(|(pixel, to)| *to = pixel[d]);
            }
        }
    }
    Some(())
}

/// From a depth column a pixel to a plane a depth.
#[inline(always)]
fn split<const D: usize>(row: &[f32], seen: usize, plane: usize, to: &mut [f32]) {
    let (pixels, _) = row.as_chunks::<D>();
    for (d, to) in to.chunks_mut(plane).take(D).enumerate() {
        let pairs = to.iter_mut().zip(pixels.iter().take(seen));
        pairs.for_each(|(to, pixel)| *to = pixel[d]);
    }
}

/// From a plane a filter to a depth column a pixel.
#[inline(always)]
pub(crate) fn interleave(planes: &[f32], pitch: usize, y: &mut [f32], k: usize) {
    for (x, column) in y.chunks_exact_mut(k).enumerate() {
        for (y, plane) in column.iter_mut().zip(planes.chunks_exact(pitch)) {
            if let Some(value) = plane.get(x) {
                *y = *value;
            }
        }
    }
}

/// The largest of each window of the rows at `planes`, of which `y` holds one in a depth column.
#[inline(always)]
pub(crate) fn largest<S: Simd, V: Lanes<S>>(
    simd: S,
    pool: &Sizes,
    rows: &[f32],
    planes: impl Iterator<Item = usize> + Clone,
    column: &mut [f32],
    y: &mut [f32],
) -> Option<()> {
    let (horizontal, [_, width, k]) = (pool.axis::<1>(), pool.y);
    let pairs = [horizontal.filter, horizontal.stride, horizontal.before] == [2, 2, 0];
    if pairs && width <= horizontal.x / 2 {
        for at in (0..width).step_by(V::LEN) {
            // The last vector ends at the last window; that of a short row goes beyond, where nothing is stored.
            let at = at.min(width.saturating_sub(V::LEN));
            let left: V = highest(simd, rows, planes.clone(), 2 * at)?;
            let right = match 2 * at + V::LEN {
                next if next < horizontal.x => highest(simd, rows, planes.clone(), next)?,
                _ => left,
            };
            let [left, right] = left.unzip(right);
            right.largest(left).scatter(y, at * k, k);
        }
        return Some(());
    }
    for at in (0..horizontal.x).step_by(V::LEN) {
        let at = at.min(horizontal.x.checked_sub(V::LEN)?);
        let best: V = highest(simd, rows, planes.clone(), at)?;
        best.store(column, at);
    }
    for (ox, y) in y.iter_mut().step_by(k).enumerate() {
        let taps = horizontal.taps(ox);
        let first = (ox * horizontal.stride + taps.start).saturating_sub(horizontal.before);
        let window = column.get(first..first + taps.len())?;
        let most = |best: f32, &x: &f32| if beats(x, best) { x } else { best };
        *y = window.iter().fold(f32::NEG_INFINITY, most);
    }
    Some(())
}

/// The largest of the vectors at `at` of the rows.
#[inline(always)]
fn highest<S: Simd, V: Lanes<S>>(
    simd: S,
    rows: &[f32],
    planes: impl Iterator<Item = usize>,
    at: usize,
) -> Option<V> {
    let mut best = V::splat(simd, f32::NEG_INFINITY);
    for plane in planes {
        let row = V::load(simd, rows, plane + at)?;
        best = row.largest(best);
    }
    Some(best)
}
