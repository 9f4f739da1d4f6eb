//! Adadelta: each weight's step is as large as its recent steps were, for gradients as large as
//! its recent gradients were.

use core::fmt;

use super::{OptimError, Optimizer, Step, decay, error};
use crate::kernel::at_level;
use crate::{Real, Role};

/// s = ρs + (1 − ρ)g², Δ = g·√(u + ε)/√(s + ε), u = ρu + (1 − ρ)Δ², w −= rate·Δ.
///
/// Here, as in the paper, ε is *under* the roots: it is what gets the first step going. Slot 0: the
/// mean square gradient s. Slot 1: the mean square change u. The rate of the paper is 1.
///
/// Source: M. Zeiler, *ADADELTA: an adaptive learning rate method*, 2012.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adadelta {
    /// ρ, 0.9 by default.
    pub decay_rate: f64,
    /// ε, 1e-6 by default.
    pub epsilon: f64,
    /// λ, 0 by default.
    pub weight_decay: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self {
            decay_rate: 0.9,
            epsilon: 1e-6,
            weight_decay: 0.0,
        }
    }
}

impl<T: Real> Optimizer<T> for Adadelta {
    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), OptimError> {
        error::share("decay rate", self.decay_rate)?;
        error::positive("epsilon", self.epsilon)?;
        error::not_negative("weight decay", self.weight_decay)
    }

    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]) {
        let [square, change] = slots;
        let (rate, epsilon) = (T::of(step.rate), T::of(self.epsilon));
        let (keep, take) = (T::of(self.decay_rate), T::of(1.0 - self.decay_rate));
        let decay = decay::<T>(self.weight_decay, role);
        at_level(
            #[inline(always)]
            || {
                for (((w, &dw), s), u) in w
                    .iter_mut()
                    .zip(dw)
                    .zip(square.iter_mut())
                    .zip(change.iter_mut())
                {
                    let g = dw + decay * *w;
                    *s = keep * *s + take * g * g;
                    let delta = (*u + epsilon).sqrt() / (*s + epsilon).sqrt() * g;
                    *u = keep * *u + take * delta * delta;
                    *w -= rate * delta;
                }
            },
        );
    }
}

impl fmt::Display for Adadelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Adadelta, decay rate {}, weight decay {}",
            self.decay_rate, self.weight_decay
        )
    }
}
