//! Several outputs: volumes one behind the other in one vector.

use super::word::word;
use crate::{Real, Volume};

word! {
    /// `outputs { boxes: [conv(16, 1x1)], scores: [conv(2, 1x1), sigmoid] }`: the volume goes through each branch,
    /// and what they write is what the network gives, by name. The volume itself goes on to the next line, if there
    /// is one; a network that has outputs ends in some. A branch may begin at any earlier line:
    /// `large: [from = coarse, conv(6, 1x1)]`.
    ///
    /// See [`layer::Outputs`](crate::layer::Outputs).
    #[doc(alias = "heads")]
    outputs {}
    Manner::Concatenates, Sees::Pixel;
    example: "outputs { boxes: [conv(16, 1x1)], scores: [conv(2, 1x1), sigmoid] }",
    elsewhere: &["heads", "output"],
}

/// One of several outputs, in the vector of all, from number `AT` on: the end of a branch of `outputs { … }`.
///
/// ```text
///  y : │ boxes, H·W·D numbers │ scores │
///      0                      AT
/// ```
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes a part of `y` | `[1][1][K]`, AT + H·W·D ≤ K |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::Outputs;
///
/// let mut y = Volume::<f32, 1, 1, 5>::ZERO;
/// Outputs::<0>.forward(&Volume([[[1.0, 2.0]], [[3.0, 4.0]]]), &mut y);
/// Outputs::<4>.forward(&Volume([[[5.0]]]), &mut y);
/// assert_eq!(y[0][0], [1.0, 2.0, 3.0, 4.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outputs<const AT: usize>;

impl<const AT: usize> Outputs<AT> {
    /// Copies `x` into its part of `y`, and leaves the rest alone.
    pub fn forward<T: Real, const H: usize, const W: usize, const D: usize, const K: usize>(
        &self,
        x: &Volume<T, H, W, D>,
        y: &mut Volume<T, 1, 1, K>,
    ) {
        const { assert!(AT + H * W * D <= K, "the part lies inside the vector") };
        let part = y.as_mut_slice().iter_mut().skip(AT);
        part.zip(x.as_slice()).for_each(|(y, &x)| *y = x);
    }

    /// The gradient on `x` is the part of the one on `y`.
    pub fn backward_input<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const K: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, 1, 1, K>,
    ) {
        const { assert!(AT + H * W * D <= K, "the part lies inside the vector") };
        let part = dy.as_slice().iter().skip(AT);
        let pairs = dx.as_mut_slice().iter_mut().zip(part);
        pairs.for_each(|(dx, &dy)| *dx = dy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backward_takes_out_what_forward_put_in_and_nothing_else() {
        let x = Volume::<f32, 2, 1, 2>([[[1.0, 2.0]], [[3.0, 4.0]]]);
        let mut y = Volume::<f32, 1, 1, 6>([[[9.0; 6]]]);
        Outputs::<1>.forward(&x, &mut y);
        assert_eq!(y.0, [[[9.0, 1.0, 2.0, 3.0, 4.0, 9.0]]]);
        let mut dx = Volume::ZERO;
        Outputs::<1>.backward_input(&mut dx, &y);
        assert_eq!(dx, x);
        assert_eq!(*y.part::<1, 2, 1, 2>(), x);
    }
}
