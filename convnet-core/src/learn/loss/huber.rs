//! Huber's loss: squares for small errors, straight lines for large ones.

use core::fmt;

use super::{Loss, LossError, same_length};
use crate::Real;

/// The mean over all numbers of e²/2 where the error e = output − target is at most δ, and of
/// δ·(|e| − δ/2) beyond: an outlier pulls with a force of δ, however far out it is.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::loss::{Huber, Loss};
///
/// let mut d_outputs = [0.0; 2];
/// let loss = Huber::default().loss(&[0.5_f64, -10.0], &[0.0, 0.0], &mut d_outputs)?;
/// assert_eq!((loss, d_outputs), ((0.125 + 9.5) / 2.0, [0.25, -0.5]));
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
///
/// Source: P. Huber, *Robust estimation of a location parameter*, 1964. As PyTorch's `HuberLoss`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    /// δ, 1 by default: where squares end. Above 0; what is not counts as 0, and nothing is learned.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

impl<T: Real> Loss<T, &[f32]> for Huber {
    fn loss(&self, outputs: &[T], target: &[f32], d_outputs: &mut [T]) -> Result<T, LossError> {
        let share = same_length(outputs, target, d_outputs)?;
        let (delta, half) = (T::of(self.delta.max(0.0)), T::of(0.5));
        let mut loss = T::ZERO;
        for ((&output, &target), d) in outputs.iter().zip(target).zip(d_outputs) {
            let off = output - T::of(target.into());
            // Written so that NaN stays NaN.
            let (force, this) = if off.abs() <= delta {
                (off, half * off * off)
            } else {
                (delta * off.signum(), delta * (off.abs() - half * delta))
            };
            *d = share * force;
            loss += share * this;
        }
        Ok(loss)
    }
}

impl fmt::Display for Huber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Huber, delta {}", self.delta)
    }
}
