//! A volume whose size is known when the program runs: what an observer is shown.

use core::fmt;

use crate::{Element, Real};

/// A volume to look at, whose size is a value and not a type: height, width, depth, depth innermost.
///
/// [`observe`](crate::Network::observe) hands such ones out.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::{AnyVolume, Seen, Volume};
///
/// let volume = Volume([[[1.0_f32, -1.0], [2.0, -2.0]]]);
/// let seen = Seen::of(&volume);
/// assert_eq!(seen.shape(), [1, 2, 2]);
/// assert_eq!(seen.column(0, 1), [2.0, -2.0]);
/// assert!(seen.slice(0).eq([1.0, 2.0]));
/// assert_eq!(seen.range(), [-2.0, 2.0]);
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Seen<'a, T> {
    shape: [usize; 3],
    scalars: &'a [T],
}

impl<'a, T: Element> Seen<'a, T> {
    /// A volume of any type.
    pub fn of<V: crate::AnyVolume<Scalar = T>>(volume: &'a V) -> Self {
        Self {
            shape: V::SHAPE,
            scalars: volume.as_slice(),
        }
    }

    /// Scalars as a volume of `[height, width, depth]`; none if they are not as many.
    #[must_use]
    pub fn new(shape: [usize; 3], scalars: &'a [T]) -> Option<Self> {
        let [h, w, d] = shape;
        let count = h.checked_mul(w)?.checked_mul(d)?;
        (count == scalars.len()).then_some(Self { shape, scalars })
    }

    /// Height, width, depth.
    #[must_use]
    pub const fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The scalars in memory order: rows, then columns, then depth.
    #[must_use]
    pub const fn as_slice(&self) -> &'a [T] {
        self.scalars
    }

    /// The depth column in row `y` and column `x`; empty outside.
    #[must_use]
    pub fn column(&self, y: usize, x: usize) -> &'a [T] {
        let [h, w, d] = self.shape;
        let inside = y < h && x < w;
        let from = if inside { (y * w + x) * d } else { 0 };
        self.scalars
            .get(from..from + if inside { d } else { 0 })
            .unwrap_or_default()
    }

    /// The depth slice `depth`, row after row; empty outside.
    pub fn slice(&self, depth: usize) -> impl ExactSizeIterator<Item = T> + Clone + use<'a, T> {
        let [_, _, d] = self.shape;
        let rest = match depth < d {
            true => self.scalars.get(depth..).unwrap_or_default(),
            false => &[],
        };
        rest.iter().step_by(d.max(1)).copied()
    }
}

impl<T: Real> Seen<'_, T> {
    /// The smallest and the largest scalar: NaN if one is, +∞ and −∞ if there are none.
    #[must_use]
    pub fn range(&self) -> [T; 2] {
        range(self.scalars.iter().copied())
    }
}

/// The smallest and the largest of them: NaN if one is, +∞ and −∞ if there are none.
pub(crate) fn range<T: Real>(scalars: impl Iterator<Item = T>) -> [T; 2] {
    let none = [T::infinity(), T::neg_infinity()];
    scalars.fold(none, |[least, most], scalar| {
        match scalar.is_nan() || least.is_nan() {
            true => [T::nan(); 2],
            false => [least.min(scalar), most.max(scalar)],
        }
    })
}

impl<T> fmt::Debug for Seen<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [h, w, d] = self.shape;
        write!(f, "Seen({w}x{h}x{d})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_a_volume_there_is_nothing() {
        let seen = Seen::new([2, 1, 3], &[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]).expect("6 are 6");
        assert_eq!(seen.column(1, 0), [3.0, 4.0, 5.0]);
        assert!(seen.column(2, 0).is_empty() && seen.column(0, 1).is_empty());
        assert!(seen.slice(2).eq([2.0, 5.0]));
        assert_eq!(seen.slice(3).len(), 0);
        assert!(Seen::<f32>::new([2, 1, 3], &[0.0; 5]).is_none());
        assert!(Seen::<f32>::new([usize::MAX, 2, 1], &[]).is_none());
        let empty = Seen::<f32>::new([0, 4, 0], &[]).expect("0 are 0");
        assert_eq!(empty.slice(0).len(), 0);
        assert_eq!(empty.range(), [f32::INFINITY, f32::NEG_INFINITY]);
    }

    #[test]
    fn a_range_with_nan_is_nan() {
        for scalars in [[f32::NAN, 1.0], [1.0, f32::NAN]] {
            let seen = Seen::new([1, 1, 2], &scalars).expect("2 are 2");
            assert!(seen.range().iter().all(|end| end.is_nan()));
        }
    }
}
