//! Fully-connected layer: every score sees the whole volume.

use core::array;

use bytemuck::Zeroable;

use super::Layer;
use super::repack::{Choice, Choices, Repack};
use super::word::word;
use crate::kernel::{Algorithm, FcForward, MICRO_BATCH, Packed, Sizes};
use crate::memory::volume::Scores;
use crate::{AnyVolume, Real, Volume, kernel};

word! {
    /// `fc(10)`: neurons that each see the whole volume; writes 1x1xK.
    ///
    /// Reads a volume of any shape (there is nothing to flatten), and learns W·H·D·K weights and K
    /// biases. See [`layer::Fc`](crate::layer::Fc).
    #[doc(alias = "dense")]
    #[doc(alias = "linear")]
    fc {
        /// K, how many neurons: class scores, or hidden ones.
        filters: usize = first(Takes::FILTERS),
        /// `none`: no biases are learned, counted or stored in weight files; they stay zero.
        bias: bool = keyed(Takes::BIAS),
    }
    Manner::Filters, Sees::Everything;
    example: "fc(10)",
    generics: &[
        Generic::Length(Length::InputHeight),
        Generic::Length(Length::InputWidth),
        Generic::Length(Length::InputDepth),
        Generic::Length(Length::Depth),
    ],
    tensors: &[
        TensorOf::filters(
            RoleOf::Weights,
            &[
                Length::InputHeight,
                Length::InputWidth,
                Length::InputDepth,
                Length::Depth,
            ],
        ),
        TensorOf::slices("bias", RoleOf::Bias),
    ],
    elsewhere: &["dense", "linear", "fullyconnected", "innerproduct"],
}

/// `K` neurons that each see the whole `H`×`W`×`D` volume: the `fc` of a declaration.
///
/// | | shape |
/// |---|---|
/// | reads `x` | `[H][W][D]` |
/// | writes `y` | `[1][1][K]` |
/// | `filters` | `[H][W][D][K]`: an `fc` is a `conv` whose filters are as large as its input |
/// | parameters | H·W·D·K + K |
/// | multiply-adds | H·W·D·K |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::layer::{Fc, Layer};
/// use convnet::Volume;
///
/// let mut fc = Fc::<f32, 1, 1, 2, 3>::ZERO;
/// fc.filters[0][0] = [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]; // a row an input
/// fc.bias = [0.5, 0.0, 0.0];
/// let mut scores = Volume::ZERO;
/// fc.forward(&Volume([[[1.0, 0.1]]]), &mut scores);
/// assert_eq!(scores, Volume([[[2.5, 4.0, 6.0]]]));
/// ```
///
/// Source: CS231n, *Fully-connected layer* and *Converting FC layers to CONV layers*.
#[doc(alias = "dense")]
#[doc(alias = "linear")]
#[doc(alias = "fully_connected")]
#[doc(alias = "InnerProduct")]
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Fc<T, const H: usize, const W: usize, const D: usize, const K: usize> {
    /// `filters[y][x][d][k]`.
    pub filters: [[[[T; K]; D]; W]; H],
    /// `bias[k]`.
    pub bias: [T; K],
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const H: usize, const W: usize, const D: usize, const K: usize> Zeroable
    for Fc<T, H, W, D, K>
{
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const K: usize> Fc<T, H, W, D, K> {
    /// All parameters zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        filters: [[[[T::ZERO; K]; D]; W]; H],
        bias: [T::ZERO; K],
    };

    /// [`forward`](Layer::forward) for several images, as pairs of x and y: the filters pass through
    /// the memory once for [`MICRO_BATCH`] of them.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::Volume;
    /// use convnet::layer::Fc;
    ///
    /// let mut fc = Fc::<f32, 1, 1, 1, 2>::ZERO;
    /// fc.filters = [[[[1.0, 10.0]]]];
    /// let (one, two) = (Volume([[[1.0]]]), Volume([[[2.0]]]));
    /// let mut scores = [Volume::ZERO, Volume::ZERO];
    /// fc.forward_batch([&one, &two].into_iter().zip(&mut scores));
    /// assert_eq!(scores, [Volume([[[1.0, 10.0]]]), Volume([[[2.0, 20.0]]])]);
    /// ```
    pub fn forward_batch<'a>(
        &self,
        images: impl Iterator<Item = (&'a Volume<T, H, W, D>, &'a mut Scores<T, K>)>,
    ) {
        let filters = self.rows().as_flattened();
        in_batches(
            images,
            |batch| kernel::fc_forward_batch(batch, filters, &self.bias),
            |x, y| self.forward(x, y),
        );
    }

    /// [`backward`](Layer::backward) for several images, as x, dy and, where it is asked for, dx: the
    /// filters and their gradient pass through the memory once for [`MICRO_BATCH`] of them.
    pub fn backward_batch<'a>(
        &self,
        mut images: impl Iterator<
            Item = (
                &'a Volume<T, H, W, D>,
                &'a Scores<T, K>,
                Option<&'a mut Volume<T, H, W, D>>,
            ),
        >,
        gradient: &mut Self,
    ) {
        loop {
            let mut batch: [_; MICRO_BATCH] = array::from_fn(|_| images.next());
            match &mut batch {
                [None, ..] => return,
                [Some((x, dy, Some(dx))), None, ..] => return self.backward(x, dx, dy, gradient),
                [Some((x, dy, None)), None, ..] => {
                    return self.backward_parameters(x, dy, gradient);
                }
                _ => {}
            }
            let slices = batch.each_mut().map(|image| {
                let (x, dy, dx) = image.as_mut()?;
                let dx = dx.as_mut().map(|dx| dx.as_mut_slice());
                Some((x.as_slice(), dy.as_slice(), dx))
            });
            let Self { filters, bias } = &mut *gradient;
            let d_filters = filters
                .as_flattened_mut()
                .as_flattened_mut()
                .as_flattened_mut();
            let filters = self.rows().as_flattened();
            if !kernel::fc_backward_batch(slices, filters, d_filters, bias) {
                for (x, dy, dx) in batch.into_iter().flatten() {
                    if let Some(dx) = dx {
                        self.backward_input_plain(dx, dy);
                    }
                    gradient.add_gradient_plain(x, dy);
                }
            }
        }
    }

    /// The weights of each input: a row of `K`.
    fn rows(&self) -> &[[T; K]] {
        self.filters.as_flattened().as_flattened()
    }

    /// What [`forward`](Layer::forward) computes, in the plainest way; the kernels are tested
    /// against it.
    pub fn forward_plain(&self, x: &Volume<T, H, W, D>, y: &mut Scores<T, K>) {
        let y = &mut y[0][0];
        *y = self.bias;
        for (&x, row) in x.as_slice().iter().zip(self.rows()) {
            for (y, &weight) in y.iter_mut().zip(row) {
                *y += x * weight;
            }
        }
    }

    /// What the `dx` of [`backward`](Layer::backward) is.
    pub fn backward_input_plain(&self, dx: &mut Volume<T, H, W, D>, dy: &Scores<T, K>) {
        for (dx, row) in dx.as_mut_slice().iter_mut().zip(self.rows()) {
            *dx = row
                .iter()
                .zip(&dy[0][0])
                .map(|(&weight, &dy)| weight * dy)
                .sum();
        }
    }

    /// What [`backward_parameters`](Layer::backward_parameters) adds to `self`, a gradient.
    pub fn add_gradient_plain(&mut self, x: &Volume<T, H, W, D>, dy: &Scores<T, K>) {
        let dy = &dy[0][0];
        for (d_bias, &dy) in self.bias.iter_mut().zip(dy) {
            *d_bias += dy;
        }
        let rows = self.filters.as_flattened_mut().as_flattened_mut();
        for (&x, row) in x.as_slice().iter().zip(rows) {
            for (d_weight, &dy) in row.iter_mut().zip(dy) {
                *d_weight += x * dy;
            }
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const K: usize>
    Layer<Volume<T, H, W, D>, Scores<T, K>> for Fc<T, H, W, D, K>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Scores<T, K>) {
        let filters = self.rows().as_flattened();
        let done = kernel::fc_forward(x.as_slice(), filters, &self.bias, y.as_mut_slice());
        // Tiles of scalars decline nothing.
        if !done && !kernel::is_scalar::<T>() {
            self.forward_plain(x, y);
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Scores<T, K>,
        gradient: &mut Self,
    ) {
        let filters = self.rows().as_flattened();
        if !kernel::fc_backward_input(dx.as_mut_slice(), dy.as_slice(), filters) {
            self.backward_input_plain(dx, dy);
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(&self, x: &Volume<T, H, W, D>, dy: &Scores<T, K>, gradient: &mut Self) {
        let Self { filters, bias } = gradient;
        let d_filters = filters
            .as_flattened_mut()
            .as_flattened_mut()
            .as_flattened_mut();
        if !kernel::fc_add_gradient(x.as_slice(), dy.as_slice(), d_filters, bias) {
            gradient.add_gradient_plain(x, dy);
        }
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize, const K: usize>
    Repack<Volume<T, H, W, D>, Scores<T, K>> for Fc<T, H, W, D, K>
{
    const SIZES: Sizes = fc_sizes([H, W, D], K);
    const FILTERS: usize = H * W * D * K;
    const CHOICES: Choices =
        Choices::everywhere([Choice::DECLARED, Choice::bfloat16(&fc_sizes([H, W, D], K))]);

    fn declared(&self) -> [&[T]; 2] {
        [self.rows().as_flattened(), &self.bias]
    }

    fn pack(algorithm: Algorithm, filters: &[T], scale: &[T], packed: &mut [T]) -> bool {
        kernel::fc_pack(K, algorithm, filters, scale, packed)
    }

    fn forward_packed(from: &Packed<'_, T>, x: &[T], _: &mut [T], y: &mut [T]) -> bool {
        kernel::fc_forward_packed(from, x, y)
    }

    fn forward_packed_batch(from: &Packed<'_, T>, images: FcForward<'_, T>) -> bool {
        kernel::fc_forward_packed_batch(from, images)
    }
}

/// Hands `several` the x and y of [`MICRO_BATCH`] images at a time; what that declines, and an image that
/// is left over, goes to `alone`.
pub(crate) fn in_batches<'a, X, Y>(
    mut images: impl Iterator<Item = (&'a X, &'a mut Y)>,
    mut several: impl FnMut(FcForward<'_, X::Scalar>) -> bool,
    mut alone: impl FnMut(&X, &mut Y),
) where
    X: AnyVolume,
    Y: AnyVolume<Scalar = X::Scalar>,
{
    loop {
        let mut batch: [_; MICRO_BATCH] = array::from_fn(|_| images.next());
        let are_several = match &batch {
            [None, ..] => return,
            [_, next, ..] => next.is_some(),
        };
        let slices = batch.each_mut().map(|image| {
            let (x, y) = image.as_mut()?;
            Some((x.as_slice(), y.as_mut_slice()))
        });
        if !(are_several && several(slices)) {
            for (x, y) in batch.into_iter().flatten() {
                alone(x, y);
            }
        }
    }
}

/// Those of a convolution whose filters are as large as its input.
const fn fc_sizes(x: [usize; 3], filters: usize) -> Sizes {
    Sizes {
        x,
        filter: [x[0], x[1]],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [1, 1, filters],
    }
}
