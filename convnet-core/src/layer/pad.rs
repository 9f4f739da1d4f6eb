//! Zeros around a volume.

use core::marker::PhantomData;

use super::Layer;
use super::slide::{Geometry, Slide};
use super::word::word;
use crate::shape::Padding;
use crate::{Real, Volume};

word! {
    /// `pad(1)`, `pad((0, 1))`: zeros around the volume.
    ///
    /// A [`conv`](crate::dsl::conv) has its own, `pad = 1`; in front of a pool these are numbers like the others: they
    /// count in a mean. See [`layer::Pad`](crate::layer::Pad).
    pad {
        /// How many rows and columns: `1`, `(before, after)` or `(top, bottom, left, right)`.
        pad: Padding = first(Takes::Pad),
    }
    Manner::Averages, Sees::Padded;
    example: "pad(1)",
    generics: &[Generic::Slide],
    elsewhere: &["zeropad", "zeropadding", "constantpad", "padding"],
}

/// Zeros around a volume: the `pad` of a declaration, and PyTorch's `ZeroPad2d`. How many stand above and left is
/// said by `G`, how many below and right by the size of what it writes.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[top + H + bottom][left + W + right][D]` |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Layer, Pad, Slide};
///
/// let mut y = Volume::<f32, 1, 4, 1>::ZERO;
/// Pad::<Slide<1, 1, 0, 1>>::new().forward(&Volume([[[2.0], [3.0]]]), &mut y);
/// assert_eq!(y, Volume([[[0.0], [2.0], [3.0], [0.0]]]));
/// ```
///
/// Source: [PyTorch, `nn.ZeroPad2d`](https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html).
#[doc(alias = "ZeroPad2d")]
#[doc(alias = "ZeroPadding2D")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pad<G = Slide<1, 1, 0, 0>>(PhantomData<G>);

impl<G: Geometry> Pad<G> {
    /// The layer; it has no parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// As [`backward`](Layer::backward): the gradient on the input is the middle of the one on the output.
    pub fn backward_input<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const HO: usize,
        const WO: usize,
    >(
        &self,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
    ) {
        const { fits::<G>([H, W], [HO, WO]) };
        let [top, left] = G::BEFORE;
        for (dx, dy) in dx.iter_mut().zip(dy.iter().skip(top)) {
            let columns = dx.iter_mut().zip(dy.iter().skip(left));
            columns.for_each(|(dx, dy)| *dx = *dy);
        }
    }
}

const fn fits<G: Geometry>(x: [usize; 2], y: [usize; 2]) {
    assert!(
        y[0] >= x[0] + G::BEFORE[0] && y[1] >= x[1] + G::BEFORE[1],
        "a padded volume has room for all"
    );
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const D: usize,
    const HO: usize,
    const WO: usize,
    G: Geometry,
> Layer<Volume<T, H, W, D>, Volume<T, HO, WO, D>> for Pad<G>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, HO, WO, D>) {
        const { fits::<G>([H, W], [HO, WO]) };
        let [top, left] = G::BEFORE;
        y.as_mut_slice().fill(T::ZERO);
        for (y, x) in y.iter_mut().skip(top).zip(x.iter()) {
            let columns = y.iter_mut().skip(left).zip(x);
            columns.for_each(|(y, x)| *y = *x);
        }
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, HO, WO, D>,
        _: &mut Self,
    ) {
        self.backward_input(dx, dy);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, HO, WO, D>, _: &mut Self) {}
}
