//! Softmax over the classes.

use super::Activation;
use super::word::word;
use crate::{Real, Volume, kernel};

word! {
    /// `softmax`: scores become probabilities. See [`layer::Softmax`](crate::layer::Softmax).
    softmax {}
    Manner::Activates, Sees::Pixel;
}

/// Scores become probabilities, depth column by depth column: the `softmax` of a declaration.
///
/// The largest score is subtracted first, so that no exponential overflows. To train, leave it
/// out and use [`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy) on the scores: it is the
/// same function with its logarithm taken exactly.
///
/// Source: CS231n, *Softmax classifier* (*Numeric stability*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Softmax
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        for column in v.iter_mut().flatten() {
            let largest = column.iter().fold(T::neg_infinity(), |a, &b| a.max(b));
            column.iter_mut().for_each(|v| *v -= largest);
            if !kernel::exp(column) {
                column.iter_mut().for_each(|v| *v = v.exp());
            }
            let sum = column.iter().copied().sum::<T>();
            column.iter_mut().for_each(|v| *v /= sum);
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        for (dv, y) in dv.iter_mut().flatten().zip(y.iter().flatten()) {
            let inner = dv.iter().zip(y).map(|(&dv, &y)| dv * y).sum::<T>();
            for (dv, &y) in dv.iter_mut().zip(y) {
                *dv = y * (*dv - inner);
            }
        }
    }
}
