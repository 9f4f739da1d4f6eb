//! Groups of depth slices to a mean and a deviation, image by image.

use bytemuck::Zeroable;

use super::Layer;
use super::word::word;
use crate::kernel::pieces::pieces_mut;
use crate::{Real, Volume};

word! {
    /// `group_norm(8)`: groups of depth slices to a learned mean and deviation, each image by itself.
    ///
    /// Of one group the whole volume is normalised; of as many as there are slices, each slice, which others call an
    /// instance norm. See [`layer::GroupNorm`](crate::layer::GroupNorm).
    group_norm {
        /// How many groups there are; they divide the depth.
        groups: usize = first(Takes::Count {
            default: None,
            zero: "0 groups have nothing to normalise: 1 is the whole volume",
            form: "the number of groups is 1 or more, such as `8`",
        }),
        /// ε, added to the variance: 1e-5 by default.
        eps: f64 = keyed(Takes::EPS),
    }
    Manner::Filters, Sees::All;
    example: "group_norm(8)",
    generics: &[
        Generic::Length(Length::Depth),
        Generic::Length(Length::FilterDepth),
        Generic::Bits("eps"),
    ],
    tensors: &[
        TensorOf::slices("gamma", RoleOf::Gain),
        TensorOf::slices("beta", RoleOf::Shift),
    ],
    elsewhere: &["groupnormalization", "instancenorm", "instancenormalization"],
}

/// `γ·(x − μ)/√(σ² + ε) + β`, where μ and σ² are those of `GROUP` depth slices of the image: the `group_norm` of a
/// declaration. `EPSILON` holds the bits of ε, an `f64`.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]`, where `GROUP` divides D |
/// | parameters | `gamma`, `beta`: 2·D, which begin at 1 and 0 |
/// | multiply-adds | none are counted |
///
/// Unlike a [`BatchNorm`](super::BatchNorm) it computes the same in training and at inference, whatever the batch.
/// Backward computes μ and σ² again.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{GroupNorm, Layer};
///
/// // Two slices, each a group: [1, 3] and [5, 5].
/// let mut norm = GroupNorm::<f64, 2, 1>::ZERO;
/// (norm.gamma, norm.beta) = ([1.0, 1.0], [0.0, 7.0]);
/// let mut y = Volume::ZERO;
/// norm.forward(&Volume([[[1.0, 5.0], [3.0, 5.0]]]), &mut y);
/// assert!((y[0][1][0] - 1.0).abs() < 1e-5 && y[0][1][1] == 7.0);
/// ```
///
/// Source: Wu and He, *Group Normalization* (2018), equations 1, 2 and 7.
#[doc(alias = "InstanceNorm")]
#[derive(Clone, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct GroupNorm<
    T,
    const D: usize,
    const GROUP: usize,
    const EPSILON: u64 = { f64::to_bits(1e-5) },
> {
    /// γ, by which each depth slice is multiplied.
    pub gamma: [T; D],
    /// β, which is added to it then.
    pub beta: [T; D],
}

#[expect(unsafe_code, reason = "zeros are a layer")]
// SAFETY: scalars, which are zeroable, and padding.
unsafe impl<T: Real, const D: usize, const GROUP: usize, const EPSILON: u64> Zeroable
    for GroupNorm<T, D, GROUP, EPSILON>
{
}

impl<T: Real, const D: usize, const GROUP: usize, const EPSILON: u64>
    GroupNorm<T, D, GROUP, EPSILON>
{
    /// All zero. For a `static`, or a layer small enough for the stack.
    pub const ZERO: Self = Self {
        gamma: [T::ZERO; D],
        beta: [T::ZERO; D],
    };

    /// The mean of each slice's group, and one divided by its deviation.
    fn statistics<const H: usize, const W: usize>(x: &Volume<T, H, W, D>) -> [[T; D]; 2] {
        let each = T::of(1.0 / (H * W * GROUP) as f64);
        let mean = Self::sums(x, each, |sums, x| {
            sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
        });
        let mut inverse = Self::sums(x, each, |sums, x| {
            for ((sum, &x), &mean) in sums.iter_mut().zip(x).zip(&mean) {
                *sum += (x - mean) * (x - mean);
            }
        });
        for it in &mut inverse {
            *it = T::ONE / (*it + T::of(f64::from_bits(EPSILON))).sqrt();
        }
        [mean, inverse]
    }

    /// What `add` adds for each depth column, summed over the slices of a group, times `each`.
    fn sums<const H: usize, const W: usize>(
        x: &Volume<T, H, W, D>,
        each: T,
        mut add: impl FnMut(&mut [T; D], &[T; D]),
    ) -> [T; D] {
        let mut sums = [T::ZERO; D];
        for row in x.iter() {
            // A row by itself: the sums of many would be less exact.
            let mut of_row = [T::ZERO; D];
            row.iter().for_each(|x| add(&mut of_row, x));
            sums.iter_mut().zip(of_row).for_each(|(sum, it)| *sum += it);
        }
        for group in pieces_mut(&mut sums, GROUP) {
            let sum = group.iter().copied().sum::<T>() * each;
            group.fill(sum);
        }
        sums
    }
}

impl<
    T: Real,
    const H: usize,
    const W: usize,
    const D: usize,
    const GROUP: usize,
    const EPSILON: u64,
> Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for GroupNorm<T, D, GROUP, EPSILON>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        let [mean, inverse] = Self::statistics(x);
        let mut by = self.gamma;
        by.iter_mut().zip(inverse).for_each(|(by, it)| *by *= it);
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            let slices = mean.iter().zip(&by).zip(&self.beta);
            for ((y, &x), ((&mean, &by), &beta)) in y.iter_mut().zip(x).zip(slices) {
                *y = (x - mean) * by + beta;
            }
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        let [mean, inverse] = Self::statistics(x);
        let each = T::of(1.0 / (H * W * GROUP) as f64);
        // γ·dy, and how it goes with the normalised x: the means of both are taken out.
        let along = Self::sums(dy, each, |sums, dy| {
            for ((sum, &dy), &gamma) in sums.iter_mut().zip(dy).zip(&self.gamma) {
                *sum += gamma * dy;
            }
        });
        let mut columns = x.iter().flatten();
        let with = Self::sums(dy, each, |sums, dy| {
            let Some(x) = columns.next() else { return };
            let slices = mean.iter().zip(&inverse).zip(&self.gamma);
            for ((sum, (&x, &dy)), ((&mean, &inverse), &gamma)) in
                sums.iter_mut().zip(x.iter().zip(dy)).zip(slices)
            {
                *sum += gamma * dy * (x - mean) * inverse;
            }
        });
        let columns = x.iter().flatten().zip(dy.iter().flatten());
        for (dx, (x, dy)) in dx.iter_mut().flatten().zip(columns) {
            let statistics = mean.iter().zip(&inverse).zip(along.iter().zip(&with));
            let slices = statistics.zip(&self.gamma);
            for ((dx, (&x, &dy)), (((&mean, &inverse), (&along, &with)), &gamma)) in
                dx.iter_mut().zip(x.iter().zip(dy)).zip(slices)
            {
                *dx = inverse * (gamma * dy - along - (x - mean) * inverse * with);
            }
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        let [mean, inverse] = Self::statistics(x);
        for (x, dy) in x.iter().flatten().zip(dy.iter().flatten()) {
            let sums = gradient.gamma.iter_mut().zip(&mut gradient.beta);
            let slices = mean.iter().zip(&inverse);
            for (((gamma, beta), (&x, &dy)), (&mean, &inverse)) in
                sums.zip(x.iter().zip(dy)).zip(slices)
            {
                *gamma += dy * (x - mean) * inverse;
                *beta += dy;
            }
        }
    }
}
