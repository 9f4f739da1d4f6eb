//! # Volumes: what flows through a network
//!
//! A volume is height × width × depth scalars, depth innermost, so that `v[y][x]` is a *depth
//! column* and the filters of one position read contiguous memory:
//!
//! ```text
//!          x ──▶
//!      ┌────┬────┬────┐
//!    y │rgb │rgb │rgb │      v[y][x][d]
//!    │ ├────┼────┼────┤
//!    ▼ │rgb │rgb │rgb │      v[y][x] : [T; D], a depth column
//!      └────┴────┴────┘
//! ```
//!
//! **Invariant:** a volume is its scalars and nothing else. Padding would not survive a copy of the volume,
//! and in an [overlay](crate::overlay) other scalars lie where it would be. That rows begin on a cache
//! line, where the kernels are fastest, is the overlay's doing.

#![expect(unsafe_code, reason = "zeros are a volume")]

use core::fmt;
use core::ops::{Deref, DerefMut};

use bytemuck::{TransparentWrapper, Zeroable};

use crate::scalar::real::{place_of_largest, probabilities, ranking};
use crate::{Element, Real};

/// Height × width × depth scalars; `v[y][x][d]`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
///
/// let mut image = Volume::<f32, 32, 32, 3>::ZERO;
/// image[7][5] = [0.1, 0.2, 0.3]; // row 7, column 5: one depth column
/// assert_eq!(image.as_slice().len(), 32 * 32 * 3);
/// ```
#[derive(Clone, PartialEq)]
#[repr(transparent)]
pub struct Volume<T, const H: usize, const W: usize, const D: usize>(pub [[[T; D]; W]; H]);

/// The scores of `K` classes: a volume of 1×1×K.
pub type Scores<T, const K: usize> = Volume<T, 1, 1, K>;

// SAFETY: a volume is scalars, and a scalar is zeroable.
unsafe impl<T: Element, const H: usize, const W: usize, const D: usize> Zeroable
    for Volume<T, H, W, D>
{
}

// SAFETY: it is `repr(transparent)` around that array, and any array is a volume.
unsafe impl<T, const H: usize, const W: usize, const D: usize> TransparentWrapper<[[[T; D]; W]; H]>
    for Volume<T, H, W, D>
{
}

impl<T: Element, const H: usize, const W: usize, const D: usize> Volume<T, H, W, D> {
    /// All zero. For a `static`, or a volume small enough for the stack; a large one is built in
    /// place by [`boxed`](Self::boxed).
    pub const ZERO: Self = Self([[[T::ZERO; D]; W]; H]);

    /// All zero, built in place on the heap.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        super::heap::zeroed_box()
    }

    /// Takes over every scalar of `other`, without a copy in between.
    pub fn copy_from(&mut self, other: &Self) {
        let pairs = self.as_mut_slice().iter_mut().zip(other.as_slice());
        pairs.for_each(|(to, &from)| *to = from);
    }

    /// Adds every scalar of `other`: where the two ways through a `residual` meet.
    pub fn accumulate(&mut self, other: &Self)
    where
        T: Real,
    {
        for (sum, &v) in self.as_mut_slice().iter_mut().zip(other.as_slice()) {
            *sum += v;
        }
    }

    /// The scalars in memory order: rows, then columns, then depth.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        self.0.as_flattened().as_flattened()
    }

    /// The scalars in memory order: rows, then columns, then depth.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.0.as_flattened_mut().as_flattened_mut()
    }
}

impl<T: Element, const K: usize> Volume<T, 1, 1, K> {
    /// A volume among the numbers of a vector, from number `AT` on; that it lies inside, the compiler checks.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::Volume;
    ///
    /// let all = Volume::<f32, 1, 1, 5>([[[1.0, 2.0, 3.0, 4.0, 5.0]]]);
    /// assert_eq!(*all.part::<1, 2, 1, 2>(), Volume([[[2.0, 3.0]], [[4.0, 5.0]]]));
    /// ```
    #[must_use]
    pub fn part<const AT: usize, const H: usize, const W: usize, const D: usize>(
        &self,
    ) -> &Volume<T, H, W, D> {
        const { assert!(AT + H * W * D <= K, "the part lies inside the vector") };
        let (columns, _) = self.as_slice()[AT..].as_chunks::<D>();
        let (rows, _) = columns.as_chunks::<W>();
        let (volumes, _) = rows.as_chunks::<H>();
        Volume::wrap_ref(&volumes[0])
    }
}

impl<T: Real, const K: usize> Scores<T, K> {
    /// The class with the highest score; the first of equals. NaN counts as the highest.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::Scores;
    ///
    /// let mut scores = Scores::<f32, 3>::ZERO;
    /// scores[0][0] = [1.0, 3.0, 3.0];
    /// assert_eq!(scores.best(), 1);
    /// ```
    #[must_use]
    pub fn best(&self) -> usize {
        place_of_largest(self.as_slice())
    }

    /// The probabilities that softmax makes of the scores, class by class: they are in [0, 1] and add up to 1.
    /// NaN where a score is NaN or +∞. For a network that does not end in `softmax` itself.
    ///
    /// Each is computed when it is asked for, without memory in between. [`loss::softmax`](crate::loss::softmax)
    /// is faster for many, and takes a buffer.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::Scores;
    ///
    /// let mut scores = Scores::<f32, 3>::ZERO;
    /// scores[0][0] = [1000.0, 1000.0, -1000.0];
    /// assert!(scores.probabilities().eq([0.5, 0.5, 0.0]));
    /// ```
    pub fn probabilities(&self) -> impl Iterator<Item = T> {
        probabilities(self.as_slice())
    }

    /// The `most` classes with the highest scores, the highest first, each with its score; of equals the first
    /// comes first. NaN counts as the highest.
    ///
    /// Looks through all scores for each: for the few best of many.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::Scores;
    ///
    /// let mut scores = Scores::<f32, 4>::ZERO;
    /// scores[0][0] = [1.0, 3.0, -2.0, 3.0];
    /// assert!(scores.top(3).eq([(1, 3.0), (3, 3.0), (0, 1.0)]));
    /// ```
    pub fn top(&self, most: usize) -> impl Iterator<Item = (usize, T)> {
        ranking(self.as_slice()).take(most)
    }
}

impl<T, const H: usize, const W: usize, const D: usize> Deref for Volume<T, H, W, D> {
    type Target = [[[T; D]; W]; H];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T, const H: usize, const W: usize, const D: usize> DerefMut for Volume<T, H, W, D> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T: fmt::Debug, const H: usize, const W: usize, const D: usize> fmt::Debug
    for Volume<T, H, W, D>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Volume {W}x{H}x{D} ")?;
        self.0.fmt(f)
    }
}

/// A volume of any size, seen as its scalars: what code that is generic over networks needs.
///
/// # Safety
///
/// The implementor starts with its `HEIGHT · WIDTH · DEPTH` scalars and holds nothing else but padding. Any
/// values of these scalars are a value of it.
pub unsafe trait AnyVolume: Zeroable + Send + Sync + 'static {
    /// What it is made of.
    type Scalar: Element;
    /// Height, width, depth.
    const SHAPE: [usize; 3];

    /// The scalars in memory order.
    fn as_slice(&self) -> &[Self::Scalar];

    /// The scalars in memory order.
    fn as_mut_slice(&mut self) -> &mut [Self::Scalar];
}

// SAFETY: `Volume` is `repr(transparent)` around the array of its scalars.
unsafe impl<T: Element, const H: usize, const W: usize, const D: usize> AnyVolume
    for Volume<T, H, W, D>
{
    type Scalar = T;
    const SHAPE: [usize; 3] = [H, W, D];

    fn as_slice(&self) -> &[T] {
        self.as_slice()
    }

    fn as_mut_slice(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_its_scalars_and_nothing_else() {
        assert_eq!(size_of::<Volume<f32, 2, 3, 5>>(), 2 * 3 * 5 * 4);
        assert_eq!(size_of::<Volume<f64, 1, 1, 3>>(), 3 * 8);
        let v = Volume::<f32, 1, 2, 2>([[[1.0, 2.0], [3.0, 4.0]]]);
        assert_eq!(v.as_slice(), [1.0, 2.0, 3.0, 4.0]);
        let mut sum = v.clone();
        sum.accumulate(&v);
        assert_eq!(sum.as_slice(), [2.0, 4.0, 6.0, 8.0]);
    }
}
