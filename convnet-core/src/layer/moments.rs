//! # Moments: what the images of a batch tell each other
//!
//! ```text
//!  image 0   conv ─▶ x ──▶ ┐       ┌ ──▶ y ─▶ relu ─▶ …        forward: each image's mean and
//!  image 1   conv ─▶ x ──▶ ┤ merge ├ ──▶ y ─▶ relu ─▶ …        variance become the batch's
//!  image 2   conv ─▶ x ──▶ ┘       └ ──▶ y ─▶ relu ─▶ …
//!
//!  image 0   conv ◀─ dx ◀─ ┐       ┌ ◀── dy ◀─ relu ◀─ …       backward: its means of dy and of
//!  image 1   conv ◀─ dx ◀─ ┤ merge ├ ◀── dy ◀─ relu ◀─ …       dy·x̂ become the batch's
//!  image 2   conv ◀─ dx ◀─ ┘       └ ◀── dy ◀─ relu ◀─ …
//! ```
//!
//! Every image has a tape of its own, and on it a [`Moments`] for each `batch_norm`. A pass is cut
//! into [parts](crate::Trainable::PARTS) at each of them; between two parts, [`merge_forward`] or
//! [`merge_backward`] goes over all tapes. Where nobody merges, an image is alone: it is normalised
//! by the running statistics, and they are constants to its gradient.
//!
//! **Invariant:** every sum is taken image by image, in the order of the batch.

use crate::{Real, Volume};

/// How many depth slices are summed side by side: two of the widest vectors of `f64`.
const TOGETHER: usize = 16;

/// Six numbers a depth slice, in pairs: [`USED`], [`OWN`], [`GIVEN`].
pub type Moments<T, const D: usize> = Volume<T, 3, 2, D>;

/// The mean and the variance by which the image is normalised: the running ones, until a merge.
pub const USED: usize = 0;

/// What the image says of itself. Forward: mean and variance. Backward: the means of dy and of
/// dy·x̂.
pub const OWN: usize = 1;

/// What it is told. Forward: where the running statistics are to move. Backward: what is taken off
/// dy; zero, until a merge.
pub const GIVEN: usize = 2;

/// A [`Moments`] of any depth, to merge.
#[derive(Debug)]
pub struct MomentsMut<'a, T> {
    /// Rows × columns of the volume that is normalised.
    pub area: usize,
    /// Its scalars.
    pub scalars: &'a mut [T],
}

impl<'a, T: Real> MomentsMut<'a, T> {
    /// Those of a volume of so many rows × columns.
    pub fn new<const D: usize>(area: usize, moments: &'a mut Moments<T, D>) -> Self {
        Self {
            area,
            scalars: moments.as_mut_slice(),
        }
    }

    /// Nothing to merge.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            area: 0,
            scalars: &mut [],
        }
    }

    /// One line of a pair, from depth slice `start` on.
    fn line(&mut self, pair: usize, which: usize, start: usize) -> &mut [T] {
        let depth = self.scalars.len() / 6;
        let row = (2 * pair + which) * depth;
        let end = depth.min(start + TOGETHER);
        let line = self.scalars.get_mut(row + start..row + end);
        line.unwrap_or_default()
    }
}

/// Gives every image of a batch the mean and variance of all: over N·H·W numbers a depth slice, as
/// PyTorch's `BatchNorm2d`; the running variance moves to the unbiased one. `moments` finds those of
/// one image, all of one volume's.
///
/// Means first, then squares about them, so that nothing cancels (Chan et al., *Updating Formulae
/// and a Pairwise Algorithm for Computing Sample Variances*, 1979).
pub fn merge_forward<I, T: Real>(images: &mut [I], moments: impl Fn(&mut I) -> MomentsMut<'_, T>) {
    let (depth, area) = match images.first_mut().map(&moments) {
        Some(first) => (first.scalars.len() / 6, first.area),
        None => return,
    };
    let (share, unbiased) = shares::<T>(images.len(), area);
    for start in (0..depth).step_by(TOGETHER) {
        let mean = sum(images, &moments, OWN, 0, start).map(|sum| sum * share);
        let mut variance = sum(images, &moments, OWN, 1, start);
        for image in &mut *images {
            let mut own = moments(image);
            let own = own.line(OWN, 0, start);
            for (sum, (&own, &mean)) in variance.iter_mut().zip(own.iter().zip(&mean)) {
                *sum += (own - mean) * (own - mean);
            }
        }
        let variance = variance.map(|sum| sum * share);
        for image in &mut *images {
            let mut moments = moments(image);
            put(moments.line(USED, 0, start), &mean);
            put(moments.line(USED, 1, start), &variance);
            put(moments.line(GIVEN, 0, start), &mean);
            put(
                moments.line(GIVEN, 1, start),
                &variance.map(|v| v * unbiased),
            );
        }
    }
}

/// Gives every image of a batch the means of dy and of dy·x̂ over all.
pub fn merge_backward<I, T: Real>(images: &mut [I], moments: impl Fn(&mut I) -> MomentsMut<'_, T>) {
    let depth = match images.first_mut().map(&moments) {
        Some(first) => first.scalars.len() / 6,
        None => return,
    };
    let (share, _) = shares::<T>(images.len(), 1);
    for start in (0..depth).step_by(TOGETHER) {
        for which in [0, 1] {
            let mean = sum(images, &moments, OWN, which, start).map(|sum| sum * share);
            for image in &mut *images {
                put(moments(image).line(GIVEN, which, start), &mean);
            }
        }
    }
}

/// 1/N; and n/(n − 1) for the n = N·`area` numbers of a depth slice. One number has no variance.
#[expect(clippy::cast_precision_loss, reason = "so many are far below 2^52")]
fn shares<T: Real>(images: usize, area: usize) -> (T, T) {
    let n = (images * area) as f64;
    let unbiased = n / (n - 1.0).max(1.0);
    (T::of(1.0 / images as f64), T::of(unbiased))
}

/// A line, summed over the images.
fn sum<I, T: Real>(
    images: &mut [I],
    moments: impl Fn(&mut I) -> MomentsMut<'_, T>,
    pair: usize,
    which: usize,
    start: usize,
) -> [T; TOGETHER] {
    let mut total = [T::ZERO; TOGETHER];
    for image in images {
        let mut moments = moments(image);
        let line = moments.line(pair, which, start);
        total.iter_mut().zip(line).for_each(|(sum, v)| *sum += *v);
    }
    total
}

fn put<T: Real>(line: &mut [T], values: &[T; TOGETHER]) {
    line.iter_mut().zip(values).for_each(|(to, &v)| *to = v);
}
