//! The logarithm of a softmax.

use super::Activation;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `log_softmax`: scores become logarithms of probabilities. See [`layer::LogSoftmax`](crate::layer::LogSoftmax).
    log_softmax {}
    Manner::Activates, Sees::Pixel;
}

/// Scores become logarithms of probabilities, depth column by depth column: the `log_softmax` of a declaration.
///
/// To train, leave it out and use [`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy) on the scores: it takes the
/// logarithm itself.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Activation, LogSoftmax};
///
/// let mut v = Volume([[[1000.0_f64, 1000.0]]]);
/// LogSoftmax.forward(&mut v);
/// assert!((v[0][0][0] + 2.0_f64.ln()).abs() < 1e-12);
/// ```
///
/// Source: CS231n, *Softmax classifier* (*Numeric stability*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSoftmax;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for LogSoftmax
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        for column in v.iter_mut().flatten() {
            let largest = column.iter().fold(T::neg_infinity(), |a, &b| a.max(b));
            column.iter_mut().for_each(|v| *v -= largest);
            let sum = column.iter().map(|v| v.exp()).sum::<T>();
            let log = sum.ln();
            column.iter_mut().for_each(|v| *v -= log);
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        for (dv, y) in dv.iter_mut().flatten().zip(y.iter().flatten()) {
            let sum = dv.iter().copied().sum::<T>();
            for (dv, &y) in dv.iter_mut().zip(y) {
                *dv -= y.exp() * sum;
            }
        }
    }
}
