//! A few depth slices of a batch norm, `L` of them from `start` on.

use core::array::from_fn;

use super::{BatchNorm, used};
use crate::memory::moments::{GIVEN, Moments, OWN, USED};
use crate::{Real, Volume, kernel};

/// Mean and variance.
pub(super) type Statistics<'a, T, const D: usize> = [&'a [T; D]; 2];

impl<T: Real, const D: usize, const EPSILON: u64, const AFFINE: bool>
    BatchNorm<T, D, EPSILON, AFFINE>
{
    pub(super) fn normalise_line<const H: usize, const W: usize, const L: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        y: &mut Volume<T, H, W, D>,
        by: &Statistics<'_, T, D>,
        start: usize,
    ) {
        let [scale, shift] = self.factors::<L>(start, by);
        for (y, x) in lines_mut::<_, _, _, _, L>(y, start).zip(lines::<_, _, _, _, L>(x, start)) {
            for d in 0..L {
                y[d] = scale[d] * x[d] + shift[d];
            }
        }
    }

    pub(super) fn normalise_line_in_place<const L: usize>(
        &self,
        columns: &mut [[T; D]],
        start: usize,
    ) {
        let [scale, shift] = self.factors::<L>(start, &self.running());
        for v in parts_mut::<_, _, L>(columns, start) {
            for d in 0..L {
                v[d] = scale[d] * v[d] + shift[d];
            }
        }
    }

    pub(super) fn gradient_line<const H: usize, const W: usize, const L: usize>(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        start: usize,
    ) {
        let [scale, _] = self.factors::<L>(start, &self.running());
        for (dx, dy) in lines_mut::<_, _, _, _, L>(dx, start).zip(lines::<_, _, _, _, L>(dy, start))
        {
            for d in 0..L {
                dx[d] = scale[d] * dy[d];
            }
        }
    }

    /// Returns the sums that it adds: of dy, and of dy·x̂.
    pub(super) fn add_line<const H: usize, const W: usize, const L: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        by: &Statistics<'_, T, D>,
        gradient: &mut Self,
        start: usize,
    ) -> [[T; L]; 2] {
        let [mean, variance] = by.map(|of| line::<T, D, L>(of, start));
        let mut sums = [[T::ZERO; L]; 2];
        for (x, dy) in x.iter().zip(dy.iter()) {
            let mut row = [[T::ZERO; L]; 2];
            for (x, dy) in lines_of::<_, _, _, L>(x, start).zip(lines_of::<_, _, _, L>(dy, start)) {
                for d in 0..L {
                    row[0][d] += dy[d];
                    row[1][d] += dy[d] * (x[d] - mean[d]);
                }
            }
            for d in 0..L {
                sums[0][d] += row[0][d];
                sums[1][d] += row[1][d];
            }
        }
        for d in 0..L {
            sums[1][d] *= self.inverse(variance[d]);
        }
        add(&mut gradient.beta, start, &sums[0]);
        add(&mut gradient.gamma, start, &sums[1]);
        sums
    }

    pub(super) fn observe_line<const H: usize, const W: usize, const L: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        moments: &mut Moments<T, D>,
        start: usize,
    ) {
        let running = self.running().map(|of| line::<T, D, L>(of, start));
        let mean: [T; L] = average(x, start, |x, _| x);
        let variance = average(x, start, |x, d| (x - mean[d]) * (x - mean[d]));
        let spread = from_fn(|d| {
            let off = mean[d] - running[0][d];
            variance[d] + off * off
        });
        put(moments, USED, start, &running);
        put(moments, OWN, start, &[mean, variance]);
        put(moments, GIVEN, start, &[mean, spread]);
    }

    pub(super) fn observe_gradient_line<const H: usize, const W: usize, const L: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        moments: &mut Moments<T, D>,
        gradient: &mut Self,
        start: usize,
    ) {
        let share = share::<T>(H * W);
        let sums = self.add_line::<H, W, L>(x, dy, &used(moments), gradient, start);
        for ((running, of), target) in [
            (&self.mean, &mut gradient.mean),
            (&self.variance, &mut gradient.variance),
        ]
        .into_iter()
        .zip(&moments[GIVEN])
        {
            let [target, running] = [target, running].map(|of| line::<T, D, L>(of, start));
            add(of, start, &from_fn::<T, L, _>(|d| running[d] - target[d]));
        }
        put(
            moments,
            OWN,
            start,
            &sums.map(|sum| sum.map(|sum| sum * share)),
        );
        put(moments, GIVEN, start, &[[T::ZERO; L]; 2]);
    }

    pub(super) fn backward_line<const H: usize, const W: usize, const L: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        moments: &Moments<T, D>,
        dx: &mut Volume<T, H, W, D>,
        start: usize,
    ) {
        let [mean, variance] = used(moments).map(|of| line::<T, D, L>(of, start));
        let [of_dy, of_product] = moments[GIVEN]
            .each_ref()
            .map(|of| line::<T, D, L>(of, start));
        let [scale, _] = self.factors::<L>(start, &used(moments));
        // For x − mean instead of x̂.
        let slope: [T; L] = from_fn(|d| of_product[d] * self.inverse(variance[d]));
        let by = [&scale, &of_dy, &mean, &slope];
        let (x_flat, dy_flat, dx_flat) = (x.as_slice(), dy.as_slice(), dx.as_mut_slice());
        if kernel::norm_backward([D, start], by, x_flat, dy_flat, dx_flat) {
            return;
        }
        let read = lines::<_, _, _, _, L>(x, start).zip(lines::<_, _, _, _, L>(dy, start));
        for (dx, (x, dy)) in lines_mut::<_, _, _, _, L>(dx, start).zip(read) {
            for d in 0..L {
                dx[d] = scale[d] * ((dy[d] - of_dy[d]) - (x[d] - mean[d]) * slope[d]);
            }
        }
    }

    /// `1/√(variance + ε)`.
    fn inverse(&self, variance: T) -> T {
        (variance + T::of(self.epsilon())).sqrt().recip()
    }

    /// `y = scale·x + shift` for the depth slices from `start` on.
    pub(super) fn factors<const L: usize>(
        &self,
        start: usize,
        by: &Statistics<'_, T, D>,
    ) -> [[T; L]; 2] {
        let [mean, variance] = by.map(|of| line::<T, D, L>(of, start));
        let [gamma, beta] = match AFFINE {
            true => [&self.gamma, &self.beta].map(|of| line::<T, D, L>(of, start)),
            false => [[T::ONE; L], [T::ZERO; L]],
        };
        let scale = from_fn(|d| gamma[d] * self.inverse(variance[d]));
        [scale, from_fn(|d| beta[d] - mean[d] * scale[d])]
    }
}

/// The mean of `f` over all pixels. The sum of a row is taken by itself: shorter sums round less.
fn average<T: Real, const H: usize, const W: usize, const D: usize, const L: usize>(
    x: &Volume<T, H, W, D>,
    start: usize,
    f: impl Fn(T, usize) -> T,
) -> [T; L] {
    let mut sum = [T::ZERO; L];
    for row in x.iter() {
        let mut of_row = [T::ZERO; L];
        for x in lines_of::<_, _, _, L>(row, start) {
            for d in 0..L {
                of_row[d] += f(x[d], d);
            }
        }
        for d in 0..L {
            sum[d] += of_row[d];
        }
    }
    sum.map(|sum| sum * share::<T>(H * W))
}

#[expect(clippy::cast_precision_loss, reason = "an area is far below 2^52")]
fn share<T: Real>(area: usize) -> T {
    T::of(1.0 / area as f64)
}

fn lines<T, const H: usize, const W: usize, const D: usize, const L: usize>(
    v: &Volume<T, H, W, D>,
    start: usize,
) -> impl Iterator<Item = &[T; L]> {
    let columns = v.as_flattened().iter();
    columns.filter_map(move |column| column.get(start..)?.first_chunk())
}

fn lines_mut<T, const H: usize, const W: usize, const D: usize, const L: usize>(
    v: &mut Volume<T, H, W, D>,
    start: usize,
) -> impl Iterator<Item = &mut [T; L]> {
    parts_mut(v.as_flattened_mut(), start)
}

fn parts_mut<T, const D: usize, const L: usize>(
    columns: &mut [[T; D]],
    start: usize,
) -> impl Iterator<Item = &mut [T; L]> {
    let columns = columns.iter_mut();
    columns.filter_map(move |column| column.get_mut(start..)?.first_chunk_mut())
}

fn lines_of<T, const W: usize, const D: usize, const L: usize>(
    row: &[[T; D]; W],
    start: usize,
) -> impl Iterator<Item = &[T; L]> {
    let columns = row.iter();
    columns.filter_map(move |column| column.get(start..)?.first_chunk())
}

fn line<T: Real, const D: usize, const L: usize>(row: &[T; D], start: usize) -> [T; L] {
    let line = row.get(start..).and_then(|row| row.first_chunk());
    line.copied().unwrap_or([T::ZERO; L])
}

fn add<T: Real, const D: usize, const L: usize>(row: &mut [T; D], start: usize, more: &[T; L]) {
    let row = row.iter_mut().skip(start);
    row.zip(more).for_each(|(sum, &more)| *sum += more);
}

fn put<T: Real, const D: usize, const L: usize>(
    moments: &mut Moments<T, D>,
    pair: usize,
    start: usize,
    values: &[[T; L]; 2],
) {
    for (row, values) in moments.get_mut(pair).into_iter().flatten().zip(values) {
        let row = row.iter_mut().skip(start);
        row.zip(values).for_each(|(to, &value)| *to = value);
    }
}
