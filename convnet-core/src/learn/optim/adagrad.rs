//! Adagrad: each weight's step is divided by the size of all its gradients so far.

use core::fmt;

use super::{OptimError, Optimizer, Step, decay, error};
use crate::kernel::at_level;
use crate::{Real, Role};

/// s += g², w −= rate·g / (√s + ε).
///
/// Slot 0: the sum of squares s. Rates near 0.01 are usual.
///
/// Source: CS231n, *Per-parameter adaptive learning rate methods*; J. Duchi et al., *Adaptive
/// subgradient methods for online learning and stochastic optimization*, 2011.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// ε, 1e-10 by default.
    pub epsilon: f64,
    /// λ, 0 by default.
    pub weight_decay: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Self {
            epsilon: 1e-10,
            weight_decay: 0.0,
        }
    }
}

impl<T: Real> Optimizer<T> for Adagrad {
    fn slots(&self) -> usize {
        1
    }

    fn check(&self) -> Result<(), OptimError> {
        error::positive("epsilon", self.epsilon)?;
        error::not_negative("weight decay", self.weight_decay)
    }

    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]) {
        let [sum, _] = slots;
        let (rate, epsilon) = (T::of(step.rate), T::of(self.epsilon));
        let decay = decay::<T>(self.weight_decay, role);
        at_level(
            #[inline(always)]
            || {
                for ((w, &dw), s) in w.iter_mut().zip(dw).zip(sum.iter_mut()) {
                    let g = dw + decay * *w;
                    *s += g * g;
                    *w -= rate * g / (s.sqrt() + epsilon);
                }
            },
        );
    }
}

impl fmt::Display for Adagrad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Adagrad, weight decay {}", self.weight_decay)
    }
}
