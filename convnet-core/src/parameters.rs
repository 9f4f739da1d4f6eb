//! # Parameters: what is learned
//!
//! A network is a plain struct of tensors. Code that treats all of them alike (optimizers, weight
//! files, initialisation) sees them by index, in the order of declaration. A few tensors are not
//! learned but measured: the statistics of a `batch_norm`.

use bytemuck::Zeroable;
use num_traits::ConstZero;

use crate::Real;

/// What a tensor of parameters is for. Weight decay leaves biases alone, and initialisation leaves
/// them zero (CS231n, *Regularization*, *Weight Initialization*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The filters of a `conv`: `[height, width, depth, filters]`.
    Filters,
    /// The weights of an `fc`, filters as large as the volume they read: `[height, width, depth,
    /// filters]`. They do not slide, so an input is seen by fewer outputs than in a `conv`.
    Weights,
    /// One number a filter, or a depth slice.
    Bias,
    /// A factor for each depth slice, γ of a `batch_norm`. It begins at 1.
    Gain,
    /// The running mean of each depth slice: a statistic. It begins at 0.
    Mean,
    /// The running variance of each depth slice: a statistic. It begins at 1.
    Variance,
}

impl Role {
    /// Whether it is learned. What is not is a statistic: its *gradient* is how far it is from what
    /// was seen, and no optimizer touches it.
    #[must_use]
    pub const fn is_learned(self) -> bool {
        !matches!(self, Self::Mean | Self::Variance)
    }
}

/// The name, role and shape of one tensor of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Layer and tensor, `conv1.filters`.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// `[height, width, depth, filters]` for filters, `[filters]` for a bias.
    pub shape: &'static [usize],
}

impl Tensor {
    /// How many scalars it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        let (mut len, mut axis) = (1, 0);
        while axis < self.shape.len() {
            len *= self.shape[axis];
            axis += 1;
        }
        len
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A value made of tensors: a network, or its gradient, which has the same type.
pub trait Parameters: Zeroable + 'static {
    /// What the tensors are made of.
    type Scalar: Real;
    /// Every tensor, in the order of declaration.
    const TENSORS: &'static [Tensor];

    /// The scalars of `TENSORS[index]`; empty past the last.
    fn tensor(&self, index: usize) -> &[Self::Scalar];

    /// The scalars of `TENSORS[index]`; empty past the last.
    fn tensor_mut(&mut self, index: usize) -> &mut [Self::Scalar];

    /// Sets every scalar to zero.
    fn fill_zero(&mut self) {
        for index in 0..Self::TENSORS.len() {
            self.tensor_mut(index).fill(Self::Scalar::ZERO);
        }
    }
}
