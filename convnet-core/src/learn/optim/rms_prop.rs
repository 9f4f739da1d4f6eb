//! RMSprop: each weight's step is divided by the size of its recent gradients.

use core::fmt;

use super::{OptimError, Optimizer, Step, decay, error};
use crate::kernel::at_level;
use crate::{Real, Role};

/// s = ρs + (1 − ρ)g², w −= rate·g / (√s + ε).
///
/// Slot 0: the mean square s. Rates near 0.001 are usual.
///
/// Source: CS231n, *Per-parameter adaptive learning rate methods*; T. Hinton, *Neural networks for
/// machine learning*, lecture 6e, 2012.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// ρ, 0.99 by default.
    pub decay_rate: f64,
    /// ε, 1e-8 by default.
    pub epsilon: f64,
    /// λ, 0 by default.
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            decay_rate: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl<T: Real> Optimizer<T> for RmsProp {
    fn slots(&self) -> usize {
        1
    }

    fn check(&self) -> Result<(), OptimError> {
        error::share("decay rate", self.decay_rate)?;
        error::positive("epsilon", self.epsilon)?;
        error::not_negative("weight decay", self.weight_decay)
    }

    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]) {
        let [square, _] = slots;
        let (rate, epsilon) = (T::of(step.rate), T::of(self.epsilon));
        let (keep, take) = (T::of(self.decay_rate), T::of(1.0 - self.decay_rate));
        let decay = decay::<T>(self.weight_decay, role);
        at_level(
            #[inline(always)]
            || {
                for ((w, &dw), s) in w.iter_mut().zip(dw).zip(square.iter_mut()) {
                    let g = dw + decay * *w;
                    *s = keep * *s + take * g * g;
                    *w -= rate * g / (s.sqrt() + epsilon);
                }
            },
        );
    }
}

impl fmt::Display for RmsProp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RMSprop, decay rate {}, weight decay {}",
            self.decay_rate, self.weight_decay
        )
    }
}
