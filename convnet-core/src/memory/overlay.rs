//! # Overlays: many volumes in one piece of memory
//!
//! ```text
//!  scalar 0            16            32            48
//!         │ conv1 ───────────────────│ pool1 ──────│
//!         │ scores ──────│                                 (conv1 is dead by then)
//! ```
//!
//! The [plan](mod@crate::plan) gives each volume a place; two volumes that are never alive together may
//! share it. This module turns places into references.
//!
//! **Invariant:** places are constants, and are checked when the program is compiled: inside the
//! overlay, on a 64-byte boundary, and apart from each other wherever two are borrowed together. What lies
//! there has no padding. So every scalar of an overlay has a value at any time, whatever is written to the
//! volumes in it: to copy a value that has padding leaves bytes behind that have none.

#![expect(unsafe_code, reason = "places become references")]

use bytemuck::Zeroable;

use crate::{AnyVolume, Element};

/// `N` scalars in which volumes are overlaid. A network's arena is one, and so is its tape. The volumes may
/// be of other [elements](Element); places are counted in scalars `T`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::{Overlay, Volume};
///
/// type Row = Volume<f32, 1, 4, 1>;
/// let mut overlay = Overlay::<f32, 32>::ZERO;
/// overlay.at_mut::<Row, 16>()[0][2][0] = 7.0;
/// let (x, y) = overlay.pair::<Row, 16, Row, 0>();
/// y.copy_from(x);
/// assert_eq!(overlay.at::<Row, 0>()[0][2][0], 7.0);
/// ```
#[derive(Clone)]
#[repr(C, align(64))]
pub struct Overlay<T, const N: usize> {
    scalars: [T; N],
}

// SAFETY: an overlay is scalars and padding, and a scalar is zeroable.
unsafe impl<T: Element, const N: usize> Zeroable for Overlay<T, N> {}

// SAFETY: an overlay is `repr(C)` around the array of its scalars.
unsafe impl<T: Element, const N: usize> AnyVolume for Overlay<T, N> {
    type Scalar = T;
    const SHAPE: [usize; 3] = [1, 1, N];

    fn as_slice(&self) -> &[T] {
        &self.scalars
    }

    fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.scalars
    }
}

impl<T: Element, const N: usize> Overlay<T, N> {
    /// All zero, for a `static`; on the heap, [`boxed`](Self::boxed) builds it in place.
    pub const ZERO: Self = Self {
        scalars: [T::ZERO; N],
    };

    /// All zero, built in place on the heap.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        super::heap::zeroed_box()
    }

    /// The volume at scalar `AT`.
    #[must_use]
    pub fn at<V: AnyVolume, const AT: usize>(&self) -> &V {
        const { check::<T, V>(AT, N) };
        // SAFETY: `V` is scalars only and ends inside (checked), the place is aligned (checked), and
        // every scalar of an overlay is initialised.
        unsafe { &*self.scalars.as_ptr().add(AT).cast::<V>() }
    }

    /// The volume at scalar `AT`.
    pub fn at_mut<V: AnyVolume, const AT: usize>(&mut self) -> &mut V {
        const { check::<T, V>(AT, N) };
        // SAFETY: as in `at`; `self` is borrowed mutably.
        unsafe { &mut *self.scalars.as_mut_ptr().add(AT).cast::<V>() }
    }

    /// The volume at `X_AT` to read and the volume at `Y_AT` to write.
    pub fn pair<X, const X_AT: usize, Y, const Y_AT: usize>(&mut self) -> (&X, &mut Y)
    where
        X: AnyVolume,
        Y: AnyVolume,
    {
        let (x, y) = self.pair_mut::<X, X_AT, Y, Y_AT>();
        (x, y)
    }

    /// The volumes at `X_AT` and `Y_AT`, both to write.
    pub fn pair_mut<X, const X_AT: usize, Y, const Y_AT: usize>(&mut self) -> (&mut X, &mut Y)
    where
        X: AnyVolume,
        Y: AnyVolume,
    {
        const {
            check::<T, X>(X_AT, N);
            check::<T, Y>(Y_AT, N);
            apart::<T, X, Y>(X_AT, Y_AT);
        }
        let base = self.scalars.as_mut_ptr();
        // SAFETY: both are inside and aligned, and they do not meet (all checked).
        unsafe {
            (
                &mut *base.add(X_AT).cast::<X>(),
                &mut *base.add(Y_AT).cast::<Y>(),
            )
        }
    }

    /// The volumes at `A_AT` and `B_AT` to read and the volume at `Y_AT` to write.
    pub fn triple<A, const A_AT: usize, B, const B_AT: usize, Y, const Y_AT: usize>(
        &mut self,
    ) -> (&A, &B, &mut Y)
    where
        A: AnyVolume,
        B: AnyVolume,
        Y: AnyVolume,
    {
        const {
            check::<T, A>(A_AT, N);
            check::<T, B>(B_AT, N);
            check::<T, Y>(Y_AT, N);
            apart::<T, A, Y>(A_AT, Y_AT);
            apart::<T, B, Y>(B_AT, Y_AT);
        }
        let base = self.scalars.as_mut_ptr();
        // SAFETY: all are inside and aligned, and the one to write meets neither of the others
        // (all checked).
        unsafe {
            (
                &*base.add(A_AT).cast::<A>(),
                &*base.add(B_AT).cast::<B>(),
                &mut *base.add(Y_AT).cast::<Y>(),
            )
        }
    }
}

impl<T: Element, const N: usize> Overlay<T, N> {
    /// The volume at `X_AT` to read and the volumes at `A_AT` and `Y_AT` to write.
    pub fn read_one<X, const X_AT: usize, A, const A_AT: usize, Y, const Y_AT: usize>(
        &mut self,
    ) -> (&X, &mut A, &mut Y)
    where
        X: AnyVolume,
        A: AnyVolume,
        Y: AnyVolume,
    {
        const {
            check::<T, X>(X_AT, N);
            check::<T, A>(A_AT, N);
            check::<T, Y>(Y_AT, N);
            apart::<T, X, A>(X_AT, A_AT);
            apart::<T, X, Y>(X_AT, Y_AT);
            apart::<T, A, Y>(A_AT, Y_AT);
        }
        let base = self.scalars.as_mut_ptr();
        // SAFETY: all are inside and aligned, and no two of them meet (all checked).
        unsafe {
            (
                &*base.add(X_AT).cast::<X>(),
                &mut *base.add(A_AT).cast::<A>(),
                &mut *base.add(Y_AT).cast::<Y>(),
            )
        }
    }
}

impl<T: Element, const N: usize> Overlay<T, N> {
    /// The volumes at `A_AT` and `B_AT` to read and the volumes at `Y_AT` and `Z_AT` to write.
    pub fn read_two<
        A,
        const A_AT: usize,
        B,
        const B_AT: usize,
        Y,
        const Y_AT: usize,
        Z,
        const Z_AT: usize,
    >(
        &mut self,
    ) -> (&A, &B, &mut Y, &mut Z)
    where
        A: AnyVolume,
        B: AnyVolume,
        Y: AnyVolume,
        Z: AnyVolume,
    {
        const {
            check::<T, A>(A_AT, N);
            check::<T, B>(B_AT, N);
            check::<T, Y>(Y_AT, N);
            check::<T, Z>(Z_AT, N);
            apart::<T, A, Y>(A_AT, Y_AT);
            apart::<T, A, Z>(A_AT, Z_AT);
            apart::<T, B, Y>(B_AT, Y_AT);
            apart::<T, B, Z>(B_AT, Z_AT);
            apart::<T, Y, Z>(Y_AT, Z_AT);
        }
        let base = self.scalars.as_mut_ptr();
        // SAFETY: all are inside and aligned, and those to write meet neither each other nor those
        // to read (all checked).
        unsafe {
            (
                &*base.add(A_AT).cast::<A>(),
                &*base.add(B_AT).cast::<B>(),
                &mut *base.add(Y_AT).cast::<Y>(),
                &mut *base.add(Z_AT).cast::<Z>(),
            )
        }
    }
}

/// Scalars on a 64-byte boundary, in whole lines, on the heap: an overlay whose size is not a type.
#[cfg(feature = "alloc")]
#[derive(Debug)]
pub(crate) struct Lines<T>(alloc::boxed::Box<[Line<T>]>);

#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<T>([T; LINE_OF_F32]);

// SAFETY: a line is scalars and padding, and a scalar is zeroable.
#[cfg(feature = "alloc")]
unsafe impl<T: Element> Zeroable for Line<T> {}

#[cfg(feature = "alloc")]
impl<T: Element> Lines<T> {
    /// At least `scalars` zeros.
    pub(crate) fn zeroed(scalars: usize) -> Self {
        const { assert!(size_of::<Line<T>>() == LINE_OF_F32 * size_of::<T>()) };
        Self(super::heap::zeroed_slice_box(scalars.div_ceil(LINE_OF_F32)))
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: a line is LINE_OF_F32 scalars and no padding (asserted in `zeroed`).
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * LINE_OF_F32) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`; `self` is borrowed mutably.
        unsafe {
            core::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * LINE_OF_F32)
        }
    }
}

/// Bytes between two places of a plan: a cache line, the widest vector. A row that straddles two lines
/// halves the speed of the kernels.
pub const LINE: usize = 64;

/// As many `f32` fill a line.
pub(crate) const LINE_OF_F32: usize = LINE / size_of::<f32>();

/// How many elements `V` is.
const fn covers<V: AnyVolume>() -> usize {
    V::SHAPE[0] * V::SHAPE[1] * V::SHAPE[2]
}

/// Asks all that a reference to a `V` at scalar `at` of an overlay of `n` scalars `T` needs, in bytes.
const fn check<T, V: AnyVolume>(at: usize, n: usize) {
    let (bytes, at, n) = (size_of::<V>(), at * size_of::<T>(), n * size_of::<T>());
    assert!(
        bytes == covers::<V>() * size_of::<V::Scalar>(),
        "a volume in an overlay is its scalars and nothing else"
    );
    assert!(
        at.is_multiple_of(LINE) && at.is_multiple_of(align_of::<V>()),
        "a volume starts on a 64-byte boundary"
    );
    assert!(
        align_of::<V>() <= align_of::<Overlay<T, 0>>(),
        "a volume asks for no wider boundary than the overlay lies on"
    );
    assert!(
        bytes <= n && at <= n - bytes,
        "the volume ends inside the overlay"
    );
}

/// Asks that an `X` at scalar `x` and a `Y` at scalar `y` of an overlay of scalars `T` do not meet.
const fn apart<T, X: AnyVolume, Y: AnyVolume>(x: usize, y: usize) {
    let (x, y) = (x * size_of::<T>(), y * size_of::<T>());
    assert!(
        x + size_of::<X>() <= y || y + size_of::<Y>() <= x,
        "a volume that is written does not meet one that is read"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Volume;

    type Row = Volume<f32, 1, 1, 3>;
    type Whole = Volume<f32, 2, 4, 4>;

    #[test]
    fn whatever_is_written_to_a_volume_every_scalar_has_a_value() {
        let mut overlay = Overlay::<f32, 32>::ZERO;
        overlay.at_mut::<Whole, 0>().0 = [[[1.0; 4]; 4]; 2];
        let (x, y) = overlay.pair_mut::<Row, 16, Row, 0>();
        *x = Volume([[[2.0; 3]]]);
        core::mem::swap(x, y);
        let sum: f32 = overlay.at::<Whole, 0>().as_slice().iter().sum();
        assert_eq!(sum, 3.0 * 1.0 + 3.0 * 2.0 + 26.0);
        assert_eq!(overlay.as_slice().iter().sum::<f32>(), sum);
        assert_eq!(overlay.clone().scalars[..3], [2.0; 3]);
    }

    #[test]
    fn every_place_is_a_cache_line() {
        let mut overlay = Overlay::<f64, 64>::ZERO;
        let (x, y) = overlay.pair::<Volume<f64, 1, 1, 5>, 48, Volume<f64, 1, 1, 7>, 16>();
        assert_eq!(x.as_slice().as_ptr().align_offset(64), 0);
        assert_eq!(y.as_slice().as_ptr().align_offset(64), 0);
    }

    #[test]
    fn volumes_of_other_elements_lie_beside_each_other() {
        type Quantised = Volume<i8, 1, 3, 5>;
        type Sums = Volume<i32, 1, 1, 5>;
        let mut bytes = Overlay::<i8, 192>::ZERO;
        let (x, y) = bytes.pair_mut::<Quantised, 64, Sums, 128>();
        x.as_mut_slice().fill(-7);
        y.as_mut_slice().fill(1 << 20);
        assert_eq!(bytes.as_slice()[64..64 + 15], [-7; 15]);
        assert_eq!(bytes.at::<Sums, 128>().as_slice(), [1 << 20; 5]);
        assert_eq!(bytes.at::<Row, 0>().as_slice(), [0.0; 3]);
    }

    #[test]
    fn an_overlay_lies_in_another() {
        let mut tape = Overlay::<f32, 48>::ZERO;
        let inner = tape.at_mut::<Overlay<f32, 32>, 16>();
        inner.at_mut::<Row, 16>().0 = [[[5.0, 6.0, 7.0]]];
        assert_eq!(tape.at::<Row, 32>().as_slice(), [5.0, 6.0, 7.0]);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn lines_are_scalars_on_the_heap() {
        let mut lines = Lines::<f64>::zeroed(17);
        lines.as_mut_slice()[31] = 1.0;
        assert_eq!(lines.as_slice().len(), 32);
        assert_eq!(lines.as_slice().iter().sum::<f64>(), 1.0);
        assert_eq!(lines.as_slice().as_ptr().align_offset(64), 0);
    }
}
