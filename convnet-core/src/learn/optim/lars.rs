//! LARS: a rate for each tensor, by how long it is and how long its gradient is.

use core::fmt;

use super::{OptimError, Optimizer, Step, decay, error};
use crate::{Real, Role};

/// v = μv + r·rate·(g + λw), w −= v, with r = η·‖w‖ / (‖g‖ + λ‖w‖) for each tensor of filters or weights,
/// and 1 for biases, gains, and where a norm is 0.
///
/// For batches of thousands of images, on many machines: with a rate that grows with the batch, a layer whose
/// weights are short and whose gradient is long would otherwise be thrown far away. Begin with a
/// [warm-up](crate::schedule::WarmUp).
///
/// Slot 0: v.
///
/// Source: Y. You, I. Gitman and B. Ginsburg, *Large batch training of convolutional networks*, 2017.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lars {
    /// η, 0.001 by default.
    pub trust: f64,
    /// μ, 0.9 by default.
    pub momentum: f64,
    /// λ, 1e-4 by default.
    pub weight_decay: f64,
}

impl Default for Lars {
    fn default() -> Self {
        Self {
            trust: 1e-3,
            momentum: 0.9,
            weight_decay: 1e-4,
        }
    }
}

impl<T: Real> Optimizer<T> for Lars {
    fn slots(&self) -> usize {
        1
    }

    fn check(&self) -> Result<(), OptimError> {
        error::positive("trust coefficient", self.trust)?;
        error::share("momentum", self.momentum)?;
        error::not_negative("weight decay", self.weight_decay)
    }

    fn by_norms(&self) -> bool {
        true
    }

    fn factor(&self, role: Role, w: f64, dw: f64) -> f64 {
        match role {
            Role::Filters | Role::Grouped(_) | Role::Weights if w > 0.0 && dw > 0.0 => {
                self.trust * w / (dw + self.weight_decay * w)
            }
            _ => 1.0,
        }
    }

    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]) {
        let [velocity, _] = slots;
        let (rate, momentum) = (T::of(step.rate), T::of(self.momentum));
        let decay = decay::<T>(self.weight_decay, role);
        for ((w, &dw), v) in w.iter_mut().zip(dw).zip(velocity) {
            *v = momentum * *v + rate * (dw + decay * *w);
            *w -= *v;
        }
    }
}

impl fmt::Display for Lars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trust,
            momentum,
            weight_decay,
        } = self;
        write!(
            f,
            "LARS, trust {trust}, momentum {momentum}, weight decay {weight_decay}"
        )
    }
}
