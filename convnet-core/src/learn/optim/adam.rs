//! Adam and AdamW: momentum over RMSprop, both corrected for having started at zero.

use core::fmt;

use super::{OptimError, Optimizer, Step, decay, error};
use crate::kernel::at_level;
use crate::{Real, Role};

/// m = β₁m + (1 − β₁)g, v = β₂v + (1 − β₂)g², w −= rate·m̂ / (√v̂ + ε), with m̂ = m/(1 − β₁ᵗ) and
/// v̂ = v/(1 − β₂ᵗ), t counted from 1.
///
/// Slot 0: m. Slot 1: v. Rates near 0.001 are usual.
///
/// Source: CS231n, *Per-parameter adaptive learning rate methods*; D. Kingma and J. Ba, *Adam: a
/// method for stochastic optimization*, 2015.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// β₁, 0.9 by default.
    pub beta1: f64,
    /// β₂, 0.999 by default.
    pub beta2: f64,
    /// ε, 1e-8 by default.
    pub epsilon: f64,
    /// λ, added to the gradient as λw; 0 by default.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// [`Adam`] with decoupled weight decay: w is first multiplied by 1 − rate·λ, and the decay does not
/// pass through m and v.
///
/// Source: I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, 2019.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// β₁, 0.9 by default.
    pub beta1: f64,
    /// β₂, 0.999 by default.
    pub beta2: f64,
    /// ε, 1e-8 by default.
    pub epsilon: f64,
    /// λ, 0.01 by default.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
        }
    }
}

impl<T: Real> Optimizer<T> for Adam {
    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), OptimError> {
        error::share("beta1", self.beta1)?;
        error::share("beta2", self.beta2)?;
        error::positive("epsilon", self.epsilon)?;
        error::not_negative("weight decay", self.weight_decay)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "2⁵³ steps take longer than anybody waits"
    )]
    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]) {
        let [mean, square] = slots;
        let t = step.count as f64 + 1.0;
        let rate = T::of(step.rate / (1.0 - libm::pow(self.beta1, t)));
        let root = T::of(1.0 / libm::sqrt(1.0 - libm::pow(self.beta2, t)));
        let (keep1, take1) = (T::of(self.beta1), T::of(1.0 - self.beta1));
        let (keep2, take2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let (epsilon, decay) = (T::of(self.epsilon), decay::<T>(self.weight_decay, role));
        at_level(
            #[inline(always)]
            || {
                for (((w, &dw), m), v) in w
                    .iter_mut()
                    .zip(dw)
                    .zip(mean.iter_mut())
                    .zip(square.iter_mut())
                {
                    let g = dw + decay * *w;
                    *m = keep1 * *m + take1 * g;
                    *v = keep2 * *v + take2 * g * g;
                    *w -= rate * *m / (v.sqrt() * root + epsilon);
                }
            },
        );
    }
}

impl<T: Real> Optimizer<T> for AdamW {
    fn slots(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), OptimError> {
        Optimizer::<T>::check(&Adam {
            weight_decay: self.weight_decay,
            ..self.adam()
        })
    }

    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]) {
        let keep = T::ONE - T::of(step.rate) * decay(self.weight_decay, role);
        if keep != T::ONE {
            w.iter_mut().for_each(|w| *w *= keep);
        }
        self.adam().update(step, role, w, dw, slots);
    }
}

impl AdamW {
    /// What is left without the decay.
    fn adam(&self) -> Adam {
        let Self {
            beta1,
            beta2,
            epsilon,
            ..
        } = *self;
        Adam {
            beta1,
            beta2,
            epsilon,
            weight_decay: 0.0,
        }
    }
}

impl fmt::Display for Adam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            beta1,
            beta2,
            weight_decay,
            ..
        } = self;
        write!(
            f,
            "Adam, betas {beta1} and {beta2}, weight decay {weight_decay}"
        )
    }
}

impl fmt::Display for AdamW {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            beta1,
            beta2,
            weight_decay,
            ..
        } = self;
        write!(
            f,
            "AdamW, betas {beta1} and {beta2}, decoupled weight decay {weight_decay}"
        )
    }
}
