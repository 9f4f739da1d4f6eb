//! Depth-wise concatenation: volumes side by side in the depth of a larger one.

use super::word::word;
use crate::{Real, Volume};

word! {
    /// `concat { [conv(64, 1x1)], [conv(96, 1x1), conv(128, 3x3, pad = 1)], [] }`: the volume goes
    /// through each branch, and what they write lies side by side in the depth.
    ///
    /// Their width and height must be equal. An empty branch hands the volume on. One that begins with
    /// `from = name` reads what an earlier line writes: `[from = stem, max_pool(2x2)]`.
    /// See [`layer::Concat`](crate::layer::Concat).
    #[doc(alias = "concatenate")]
    #[doc(alias = "inception")]
    concat {}
    Manner::Concatenates, Sees::Pixel;
    example: "concat { [conv(64, 1x1)], [conv(32, 1x1), conv(64, 3x3, pad = 1)] }",
    elsewhere: &["inception", "fire", "dense", "parallel", "cat"],
}

/// One slice of a concatenation, from depth `AT` on: the end of a branch of `concat { … }`.
///
/// ```text
///  y[r][c] : │ branch 1 │ branch 2   │ branch 3 │
///            0          AT           AT + D
/// ```
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes a slice of `y` | `[H][W][K]`, AT + D ≤ K |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::Concat;
///
/// let mut y = Volume::<f32, 1, 1, 3>::ZERO;
/// Concat::<0>.forward(&Volume([[[7.0]]]), &mut y);
/// Concat::<1>.forward(&Volume([[[8.0, 9.0]]]), &mut y);
/// assert_eq!(y[0][0], [7.0, 8.0, 9.0]);
/// ```
///
/// Source: Szegedy et al., *Going Deeper with Convolutions* (2014), section 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concat<const AT: usize>;

impl<const AT: usize> Concat<AT> {
    /// Copies `x` into its slice of `y`, and leaves the rest alone.
    pub fn forward<T: Real, const H: usize, const W: usize, const D: usize, const K: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        y: &mut Volume<T, H, W, K>,
    ) {
        const { assert!(AT + D <= K, "the slice lies inside the volume") };
        let columns = y.iter_mut().flatten().zip(x.iter().flatten());
        for (y, x) in columns {
            // Always some, as asserted.
            if let Some(y) = y.get_mut(AT..).and_then(|y| y.first_chunk_mut()) {
                *y = *x;
            }
        }
    }

    /// The gradient on `x` is the slice of the one on `y`.
    pub fn backward_input<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const K: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, K>,
    ) {
        const { assert!(AT + D <= K, "the slice lies inside the volume") };
        let columns = dx.iter_mut().flatten().zip(dy.iter().flatten());
        for (dx, dy) in columns {
            if let Some(dy) = dy.get(AT..).and_then(|dy| dy.first_chunk()) {
                *dx = *dy;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backward_takes_out_what_forward_put_in_and_nothing_else() {
        let x = Volume::<f32, 2, 1, 2>([[[1.0, 2.0]], [[3.0, 4.0]]]);
        let mut y = Volume::<f32, 2, 1, 4>([[[9.0; 4]], [[9.0; 4]]]);
        Concat::<1>.forward(&x, &mut y);
        assert_eq!(y.0, [[[9.0, 1.0, 2.0, 9.0]], [[9.0, 3.0, 4.0, 9.0]]]);
        let mut dx = Volume::ZERO;
        Concat::<1>.backward_input(&mut dx, &y);
        assert_eq!(dx, x);
    }
}
