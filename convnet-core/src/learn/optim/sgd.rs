//! Gradient descent: plain, with momentum, with Nesterov's.

use core::fmt;

use super::{OptimError, Optimizer, Step, decay, error};
use crate::{Real, Role};

/// Stochastic gradient descent. Plain by default; needs a slot only with momentum.
///
/// | | |
/// |---|---|
/// | plain | w −= rate·g |
/// | momentum | v = μv + g, w −= rate·v |
/// | Nesterov | v = μv + g, w −= rate·(g + μv) |
///
/// Slot 0: the velocity v. CS231n keeps −rate·v instead, so there a change of the rate leaves the
/// speed gathered so far as it is, and here it scales it.
///
/// Source: CS231n, *SGD and bells and whistles*; I. Sutskever et al., *On the importance of
/// initialization and momentum in deep learning*, 2013.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// μ: 0 (the default) up to 1; 0.9 is usual.
    pub momentum: f64,
    /// Whether the gradient counts once more, as if taken where momentum leads.
    pub nesterov: bool,
    /// λ, 0 by default.
    pub weight_decay: f64,
}

impl<T: Real> Optimizer<T> for Sgd {
    fn slots(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn check(&self) -> Result<(), OptimError> {
        error::share("momentum", self.momentum)?;
        let some = !self.nesterov || self.momentum > 0.0;
        error::expect(
            some,
            "momentum",
            self.momentum,
            "more than 0 for Nesterov's, 0.9 say",
        )?;
        error::not_negative("weight decay", self.weight_decay)
    }

    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]) {
        let [velocity, _] = slots;
        let (rate, momentum) = (T::of(step.rate), T::of(self.momentum));
        let decay = decay::<T>(self.weight_decay, role);
        let weights = w.iter_mut().zip(dw);
        if momentum == T::ZERO {
            for (w, &dw) in weights {
                *w -= rate * (dw + decay * *w);
            }
        } else if self.nesterov {
            for ((w, &dw), v) in weights.zip(velocity) {
                let g = dw + decay * *w;
                *v = momentum * *v + g;
                *w -= rate * (g + momentum * *v);
            }
        } else {
            for ((w, &dw), v) in weights.zip(velocity) {
                *v = momentum * *v + dw + decay * *w;
                *w -= rate * *v;
            }
        }
    }
}

impl fmt::Display for Sgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SGD")?;
        if self.momentum != 0.0 {
            let whose = if self.nesterov {
                "Nesterov momentum"
            } else {
                "momentum"
            };
            write!(f, ", {whose} {}", self.momentum)?;
        }
        write!(f, ", weight decay {}", self.weight_decay)
    }
}
