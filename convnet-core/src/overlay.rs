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
//! overlay, on a 64-byte boundary, and apart from each other wherever two are borrowed together.

use bytemuck::Zeroable;

use crate::{AnyVolume, Real};

/// `N` scalars in which volumes are overlaid. A network's arena is one, and so is its tape.
///
/// ```
/// use convnet_core::{Overlay, Volume};
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
unsafe impl<T: Real, const N: usize> Zeroable for Overlay<T, N> {}

// SAFETY: an overlay is `repr(C, align(64))` around the array of its scalars.
unsafe impl<T: Real, const N: usize> AnyVolume for Overlay<T, N> {
    type Scalar = T;
    const SHAPE: [usize; 3] = [1, 1, N];

    fn as_slice(&self) -> &[T] {
        &self.scalars
    }

    fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.scalars
    }
}

impl<T: Real, const N: usize> Overlay<T, N> {
    /// All zero, for a `static`; on the heap, [`boxed`](Self::boxed) builds it in place.
    pub const ZERO: Self = Self {
        scalars: [T::ZERO; N],
    };

    /// All zero, built in place on the heap.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        bytemuck::zeroed_box()
    }

    /// The volume at scalar `AT`.
    #[must_use]
    pub fn at<V: AnyVolume<Scalar = T>, const AT: usize>(&self) -> &V {
        const { check::<V>(AT, N) };
        // SAFETY: `AT + size_of::<V>()` is inside (checked), the place is aligned (checked), and
        // every scalar of an overlay is initialised.
        unsafe { &*self.scalars.as_ptr().add(AT).cast::<V>() }
    }

    /// The volume at scalar `AT`.
    pub fn at_mut<V: AnyVolume<Scalar = T>, const AT: usize>(&mut self) -> &mut V {
        const { check::<V>(AT, N) };
        // SAFETY: as in `at`; `self` is borrowed mutably.
        unsafe { &mut *self.scalars.as_mut_ptr().add(AT).cast::<V>() }
    }

    /// The volume at `X_AT` to read and the volume at `Y_AT` to write.
    pub fn pair<X, const X_AT: usize, Y, const Y_AT: usize>(&mut self) -> (&X, &mut Y)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
    {
        let (x, y) = self.pair_mut::<X, X_AT, Y, Y_AT>();
        (x, y)
    }

    /// The volumes at `X_AT` and `Y_AT`, both to write.
    pub fn pair_mut<X, const X_AT: usize, Y, const Y_AT: usize>(&mut self) -> (&mut X, &mut Y)
    where
        X: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
    {
        const {
            check::<X>(X_AT, N);
            check::<Y>(Y_AT, N);
            apart::<X, Y>(X_AT, Y_AT);
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
        A: AnyVolume<Scalar = T>,
        B: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
    {
        const {
            check::<A>(A_AT, N);
            check::<B>(B_AT, N);
            check::<Y>(Y_AT, N);
            apart::<A, Y>(A_AT, Y_AT);
            apart::<B, Y>(B_AT, Y_AT);
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

impl<T: Real, const N: usize> Overlay<T, N> {
    /// The volume at `X_AT` to read and the volumes at `A_AT` and `Y_AT` to write.
    pub fn read_one<X, const X_AT: usize, A, const A_AT: usize, Y, const Y_AT: usize>(
        &mut self,
    ) -> (&X, &mut A, &mut Y)
    where
        X: AnyVolume<Scalar = T>,
        A: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
    {
        const {
            check::<X>(X_AT, N);
            check::<A>(A_AT, N);
            check::<Y>(Y_AT, N);
            apart::<X, A>(X_AT, A_AT);
            apart::<X, Y>(X_AT, Y_AT);
            apart::<A, Y>(A_AT, Y_AT);
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

impl<T: Real, const N: usize> Overlay<T, N> {
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
        A: AnyVolume<Scalar = T>,
        B: AnyVolume<Scalar = T>,
        Y: AnyVolume<Scalar = T>,
        Z: AnyVolume<Scalar = T>,
    {
        const {
            check::<A>(A_AT, N);
            check::<B>(B_AT, N);
            check::<Y>(Y_AT, N);
            check::<Z>(Z_AT, N);
            apart::<A, Y>(A_AT, Y_AT);
            apart::<A, Z>(A_AT, Z_AT);
            apart::<B, Y>(B_AT, Y_AT);
            apart::<B, Z>(B_AT, Z_AT);
            apart::<Y, Z>(Y_AT, Z_AT);
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
type Line<T> = crate::Volume<T, 1, 1, LINE>;

#[cfg(feature = "alloc")]
impl<T: crate::Real> Lines<T> {
    /// At least `scalars` zeros.
    pub(crate) fn zeroed(scalars: usize) -> Self {
        const { assert!(size_of::<Line<T>>() == LINE * size_of::<T>()) };
        Self(bytemuck::zeroed_slice_box(scalars.div_ceil(LINE)))
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: a line is LINE scalars and no padding (asserted in `zeroed`).
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * LINE) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`; `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * LINE) }
    }
}

/// Scalars between two places of a plan: 16 `f32` fill a cache line, so every place is aligned for
/// `f32` and for `f64`.
pub const LINE: usize = 16;

/// How many scalars `V` covers, its padding included.
const fn covers<V: AnyVolume>() -> usize {
    size_of::<V>() / size_of::<V::Scalar>()
}

const fn check<V: AnyVolume>(at: usize, n: usize) {
    assert!(
        at.is_multiple_of(LINE),
        "a volume starts on a 64-byte boundary"
    );
    assert!(
        covers::<V>() <= n && at <= n - covers::<V>(),
        "the volume ends inside the overlay"
    );
}

const fn apart<X: AnyVolume, Y: AnyVolume>(x: usize, y: usize) {
    assert!(
        x + covers::<X>() <= y || y + covers::<Y>() <= x,
        "a volume that is written does not meet one that is read"
    );
}
