//! Mean squared error, for networks that give numbers.

use core::fmt;

use super::{Loss, LossError, same_length};
use crate::Real;

/// The mean of (output − target)² over all numbers: for a regression or an autoencoder.
///
/// As PyTorch's `MSELoss`. (CS231n's L2 loss is the sum; a mean is of one size whatever the network
/// gives.)
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{Loss, MeanSquaredError};
///
/// let mut d_outputs = [0.0; 2];
/// let loss = MeanSquaredError.loss(&[3.0_f64, 1.0], &[1.0, 1.0], &mut d_outputs)?;
/// assert_eq!((loss, d_outputs), (2.0, [2.0, 0.0]));
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
///
/// Source: CS231n, *Regression* in *Neural Networks Part 2*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanSquaredError;

impl<T: Real> Loss<T, &[f32]> for MeanSquaredError {
    fn loss(&self, outputs: &[T], target: &[f32], d_outputs: &mut [T]) -> Result<T, LossError> {
        let share = same_length(outputs, target, d_outputs)?;
        let mut loss = T::ZERO;
        for ((&output, &target), d) in outputs.iter().zip(target).zip(d_outputs) {
            let off = output - T::of(target.into());
            *d = share * (off + off);
            loss += share * off * off;
        }
        Ok(loss)
    }
}

impl fmt::Display for MeanSquaredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mean squared error")
    }
}
