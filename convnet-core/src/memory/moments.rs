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
//! into [segments](crate::Trainable::SEGMENTS) at each of them; between two segments, [`merge_forward`] or
//! [`merge_backward`] goes over all tapes. Where nobody merges, an image is alone: it is normalised
//! by the running statistics, and they are constants to its gradient.
//!
//! **Invariant:** a sum over a batch is that of its two halves, and each half is summed so again: its
//! value depends on the batch only. Where machines have a part each, each gives the sums of the largest
//! subtrees that lie in its part, and the sum over the machines is the same to the bit.

use core::convert::Infallible;
use core::ops::Range;

use super::halves;
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

    /// Both rows of a pair.
    fn pair(&mut self, pair: usize) -> &mut [T] {
        let both = self.scalars.len() / 6 * 2;
        let rows = self.scalars.get_mut(pair * both..(pair + 1) * both);
        rows.unwrap_or_default()
    }

    /// One of them: a number a depth slice.
    fn row(&mut self, pair: usize, which: usize) -> &mut [T] {
        let depth = self.scalars.len() / 6;
        let row = self.pair(pair).get_mut(which * depth..(which + 1) * depth);
        row.unwrap_or_default()
    }

    /// Both rows of [`GIVEN`], or one of them.
    fn into_given(self, which: Option<usize>) -> &'a mut [T] {
        let depth = self.scalars.len() / 6;
        let rows = match which {
            None => 4 * depth..6 * depth,
            Some(which) => (4 + which) * depth..(5 + which) * depth,
        };
        self.scalars.get_mut(rows).unwrap_or_default()
    }

    /// One line of a row, from depth slice `start` on.
    fn line(&mut self, pair: usize, which: usize, start: usize) -> &mut [T] {
        let depth = self.scalars.len() / 6;
        let line = self
            .row(pair, which)
            .get_mut(start..depth.min(start + TOGETHER));
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
    let batch = Here::all(images);
    let Ok(()) = merge_forward_across(images, batch, alone, moments);
}

/// Gives every image of a batch the means of dy and of dy·x̂ over all.
pub fn merge_backward<I, T: Real>(images: &mut [I], moments: impl Fn(&mut I) -> MomentsMut<'_, T>) {
    let batch = Here::all(images);
    let Ok(()) = merge_backward_across(images, batch, alone, moments);
}

/// How much of a batch is on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// Which of the batch's images its first is.
    pub first: usize,
    /// How many of its images: the first of a slice of them. The slice has one at least, even if that
    /// is none of the batch: the first lends its [`GIVEN`] to the sums.
    pub images: usize,
    /// How many images the batch has on all machines.
    pub batch: usize,
}

impl Here {
    fn all<I>(images: &[I]) -> Self {
        let (images, batch) = (images.len(), images.len());
        Self {
            first: 0,
            images,
            batch,
        }
    }

    /// The parts of this machine's images, counted from its first, whose sums it gives: one on one machine.
    fn nodes(self, found: &mut dyn FnMut(Range<usize>)) {
        let here = self.first..self.first + self.images;
        halves::nodes(0..self.batch, &here, &mut |node| {
            found(node.start - self.first..node.end - self.first);
        });
    }
}

/// Where an image keeps some of its numbers.
pub type Row<'a, I, T> = dyn Fn(&mut I) -> &mut [T] + 'a;

/// There is nobody to add anything.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it takes the place of what can fail"
)]
fn alone<I, T>(_: &mut [I], _: &Row<'_, I, T>) -> Result<(), Infallible> {
    Ok(())
}

/// [`merge_forward`] where a batch is spread over many machines. `reduce` is called twice, with all images
/// and with where one keeps a number a depth slice: the first image of each of this machine's nodes has the
/// node's sum there, and the first image of all is to have the sum over all machines.
///
/// # Errors
///
/// Those of `reduce`.
pub fn merge_forward_across<I, T: Real, E>(
    images: &mut [I],
    here: Here,
    mut reduce: impl FnMut(&mut [I], &Row<'_, I, T>) -> Result<(), E>,
    moments: impl Fn(&mut I) -> MomentsMut<'_, T>,
) -> Result<(), E> {
    let Some((depth, area)) = size(images, &moments) else {
        return Ok(());
    };
    let (share, unbiased) = shares::<T>(here.batch, area);
    let lines = || (0..depth).step_by(TOGETHER);
    for start in lines() {
        let own = |image: &mut I| get(moments(image).line(OWN, 0, start));
        here.nodes(&mut |node| {
            let images = &mut images[node];
            let mean = sum(images, &own);
            put(moments(&mut images[0]).line(GIVEN, 0, start), &mean);
        });
    }
    reduce(images, &|image| moments(image).into_given(Some(0)))?;
    for start in lines() {
        let mut first = moments(&mut images[0]);
        let given = first.line(GIVEN, 0, start);
        let mean = get(given).map(|sum: T| sum * share);
        put(given, &mean);
        let squares = |image: &mut I| {
            let mut own = moments(image);
            let mut square = get(own.line(OWN, 1, start));
            let means = own.line(OWN, 0, start).iter().zip(&mean);
            for (square, (&own, &mean)) in square.iter_mut().zip(means) {
                *square += (own - mean) * (own - mean);
            }
            square
        };
        here.nodes(&mut |node| {
            let images = &mut images[node];
            let variance = sum(images, &squares);
            put(moments(&mut images[0]).line(GIVEN, 1, start), &variance);
        });
    }
    reduce(images, &|image| moments(image).into_given(Some(1)))?;
    for start in lines() {
        let mut first = moments(&mut images[0]);
        let mean = get(first.line(GIVEN, 0, start));
        let variance = get(first.line(GIVEN, 1, start)).map(|sum: T| sum * share);
        for image in &mut images[..here.images] {
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
    Ok(())
}

/// [`merge_backward`] where a batch is spread over many machines. `reduce` is called as in
/// [`merge_forward_across`], once, with two numbers a depth slice.
///
/// # Errors
///
/// Those of `reduce`.
pub fn merge_backward_across<I, T: Real, E>(
    images: &mut [I],
    here: Here,
    mut reduce: impl FnMut(&mut [I], &Row<'_, I, T>) -> Result<(), E>,
    moments: impl Fn(&mut I) -> MomentsMut<'_, T>,
) -> Result<(), E> {
    let Some((depth, _)) = size(images, &moments) else {
        return Ok(());
    };
    let (share, _) = shares::<T>(here.batch, 1);
    let lines = || (0..depth).step_by(TOGETHER);
    for (which, start) in lines().flat_map(|start| [(0, start), (1, start)]) {
        let own = |image: &mut I| get(moments(image).line(OWN, which, start));
        here.nodes(&mut |node| {
            let images = &mut images[node];
            let mean = sum(images, &own);
            put(moments(&mut images[0]).line(GIVEN, which, start), &mean);
        });
    }
    reduce(images, &|image| moments(image).into_given(None))?;
    for (which, start) in lines().flat_map(|start| [(0, start), (1, start)]) {
        let sum = get(moments(&mut images[0]).line(GIVEN, which, start));
        let mean = sum.map(|sum: T| sum * share);
        for image in &mut images[..here.images] {
            put(moments(image).line(GIVEN, which, start), &mean);
        }
    }
    Ok(())
}

/// Depth and area of what is merged.
fn size<I, T: Real>(
    images: &mut [I],
    moments: impl Fn(&mut I) -> MomentsMut<'_, T>,
) -> Option<(usize, usize)> {
    let first = moments(images.first_mut()?);
    Some((first.scalars.len() / 6, first.area))
}

/// 1/N; and n/(n − 1) for the n = N·`area` numbers of a depth slice. One number has no variance.
#[expect(clippy::cast_precision_loss, reason = "so many are far below 2^52")]
fn shares<T: Real>(images: usize, area: usize) -> (T, T) {
    let n = (images * area) as f64;
    let unbiased = n / (n - 1.0).max(1.0);
    (T::of(1.0 / images as f64), T::of(unbiased))
}

/// The sum of a line of each image: of two halves, and each half so again.
fn sum<I, T: Real>(images: &mut [I], line: &impl Fn(&mut I) -> [T; TOGETHER]) -> [T; TOGETHER] {
    match images {
        [] => [T::ZERO; TOGETHER],
        [image] => line(image),
        _ => {
            let (one, other) = images.split_at_mut(images.len() / 2);
            let (mut total, more) = (sum(one, line), sum(other, line));
            total.iter_mut().zip(more).for_each(|(sum, v)| *sum += v);
            total
        }
    }
}

/// The last line may be shorter.
fn get<T: Real>(line: &[T]) -> [T; TOGETHER] {
    let mut values = [T::ZERO; TOGETHER];
    values.iter_mut().zip(line).for_each(|(to, &v)| *to = v);
    values
}

fn put<T: Real>(line: &mut [T], values: &[T; TOGETHER]) {
    line.iter_mut().zip(values).for_each(|(to, &v)| *to = v);
}
