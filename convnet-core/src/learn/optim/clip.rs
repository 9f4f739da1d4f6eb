//! Gradient clipping: a gradient that is too long keeps its direction and loses its length.

use super::{OptimError, error};
use crate::{Parameters, Real};

/// Scales `gradient` down to an L2 norm of `max` over all its tensors, if it is longer. Returns the
/// norm it had. Statistics are no part of it.
///
/// # Errors
///
/// If the gradient is not finite, or `max` is not a length; nothing is changed then.
///
/// Source: R. Pascanu et al., *On the difficulty of training recurrent neural networks*, 2013.
pub fn clip_norm<P: Parameters>(gradient: &mut P, max: f64) -> Result<f64, OptimError> {
    error::not_negative("longest gradient", max)?;
    let mut sum = 0.0;
    let learned = || {
        let tensors = P::TENSORS.iter().enumerate();
        tensors.filter(|(_, tensor)| tensor.role.is_learned())
    };
    for (index, tensor) in learned() {
        // In f64, where the square of no f32 overflows.
        sum += gradient
            .tensor(index)
            .iter()
            .map(|&g| g.widen() * g.widen())
            .sum::<f64>();
        if !sum.is_finite() {
            return Err(OptimError::NotFinite {
                tensor: tensor.name,
            });
        }
    }
    let norm = libm::sqrt(sum);
    if norm > max {
        let scale = P::Scalar::of(max / norm);
        for (index, _) in learned() {
            gradient
                .tensor_mut(index)
                .iter_mut()
                .for_each(|g| *g *= scale);
        }
    }
    Ok(norm)
}
