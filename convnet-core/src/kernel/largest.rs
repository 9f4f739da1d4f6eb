//! The largest of each window, depth by depth.

use crate::Real;
#[cfg(vfp)]
use crate::kernel::f32::vfp;
use crate::kernel::pieces::pieces_mut;
use crate::scalar::real::keep_largest;

/// Neighbours that see as many pixels.
#[derive(Clone, Copy)]
pub(crate) struct Windows<'a, T> {
    /// From the first pixel of the first of them on.
    pub(crate) x: &'a [T],
    /// How many rows of how many pixels each sees.
    pub(crate) taps: [usize; 2],
    /// From row to row, and from pixel to pixel, in scalars.
    pub(crate) steps: [usize; 2],
    /// From window to window.
    pub(crate) step: usize,
}

impl<T: Real> Windows<'_, T> {
    /// A column of `y` a window: of each depth the largest, the first of equals; `-inf` where nothing is seen.
    pub(crate) fn largest(&self, depth: usize, y: &mut [T]) -> Option<()> {
        let &Self {
            taps, steps, step, ..
        } = self;
        #[cfg(vfp)]
        if let (Some(x), Some(y)) = (T::as_f32(self.x), T::as_f32_mut(y)) {
            let windows = Windows {
                x,
                taps,
                steps,
                step,
            };
            return vfp::largest(&windows, depth, y);
        }
        for (window, y) in pieces_mut(y, depth).enumerate() {
            y.fill(T::neg_infinity());
            for row in 0..taps[0] {
                for column in 0..taps[1] {
                    let at = window * step + row * steps[0] + column * steps[1];
                    keep_largest(y, self.x.get(at..)?.get(..depth)?);
                }
            }
        }
        Some(())
    }
}
