//! # Optimizers: how a gradient changes the parameters
//!
//! ```text
//!   dw ─▶ ┌────────┐ ─▶ w        w, dw: parameters and gradient, one tensor at a time
//!         │ update │             slots: the optimizer's memory (velocity, mean square),
//!   slots ◀───────▶┘                    0, 1 or 2 tensors for each tensor of w
//! ```
//!
//! Read [`Sgd`] first. An optimizer is its hyperparameters and nothing else; its memory is made of
//! values of the network's own type, which the caller owns, on the heap or in a `static`. The
//! learning rate is not a part of it: it changes with time, so a [`Schedule`] gives it.
//!
//! ```
//! # use convnet_core as convnet;
//! use convnet::optim::{Optimizer, Sgd, Step};
//! use convnet::Role;
//!
//! let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
//! let (mut w, dw, mut velocity) = ([1.0_f32], [2.0], [0.0]);
//! for count in 0..2 {
//!     let step = Step { rate: 0.1, count };
//!     sgd.update(step, Role::Filters, &mut w, &dw, [&mut velocity, &mut []]);
//! }
//! assert_eq!((w, velocity), ([1.0 - 0.1 * 2.0 - 0.1 * 3.8], [3.8]));
//! ```
//!
//! Sources differ in conventions; these are PyTorch's, except where an optimizer's page says so:
//!
//! * momentum gathers gradients, not steps: v = μv + g, w −= rate·v (CS231n: v = μv − rate·g,
//!   w += v; the same while the rate stays the same);
//! * ε is added to the root, √s + ε, not under it (Adadelta: under it);
//! * weight decay λ is the L2 term λw added to the gradient, CS231n's ½λw² in the loss (in
//!   [`AdamW`] it is decoupled), and leaves biases and gains alone.
//!
//! The statistics of a `batch_norm` are not learned: [`step`](Optimizer::step) moves them by
//! [`MOMENTUM`] towards the batch's, whatever the optimizer.
//!
//! **Invariant:** every optimizer works scalar by scalar, so a tensor may be updated in pieces, by
//! many threads, and comes out the same to the bit. ([`Lars`] asks for two norms of the whole tensor first.)

mod adadelta;
mod adagrad;
mod adam;
mod clip;
mod error;
mod lars;
mod rms_prop;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use clip::clip_norm;
pub use error::OptimError;
pub use lars::Lars;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;

use crate::{Parameters, Real, Role, Schedule};

/// When an update happens, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The learning rate.
    pub rate: f64,
    /// How many updates were made before this one.
    pub count: u64,
}

impl Step {
    /// The step after `count` others.
    pub fn at(schedule: &(impl Schedule + ?Sized), count: u64) -> Self {
        Self {
            rate: schedule.rate(count),
            count,
        }
    }

    /// The same step at another rate.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            rate: self.rate * factor,
            ..self
        }
    }
}

/// A rule for changing parameters by their gradient.
pub trait Optimizer<T: Real> {
    /// How many slots it needs, 0, 1 or 2: zeroed before the first step, and kept between steps.
    fn slots(&self) -> usize;

    /// Whether the hyperparameters make sense.
    ///
    /// # Errors
    ///
    /// The first that does not.
    fn check(&self) -> Result<(), OptimError>;

    /// Whether it asks for norms: then [`factor`](Self::factor) is called for each tensor before its update.
    fn by_norms(&self) -> bool {
        false
    }

    /// What the rate of a tensor is multiplied by, given the L2 norm of its weights and of their gradient.
    fn factor(&self, role: Role, w: f64, dw: f64) -> f64 {
        let _ = (role, w, dw);
        1.0
    }

    /// One step of one tensor or a part of it. All slices are of one length, but slots past
    /// [`slots`](Self::slots) may be empty. Not for statistics, and nothing is checked here: see
    /// [`step`](Self::step).
    fn update(&self, step: Step, role: Role, w: &mut [T], dw: &[T], slots: [&mut [T]; 2]);

    /// One step of a whole network. `gradient` is the mean over the batch; `slots` are at least as
    /// many as [`slots`](Self::slots) says.
    ///
    /// # Errors
    ///
    /// If there are too few slots, or the learning rate or another hyperparameter makes no sense;
    /// nothing is changed then.
    fn step<P: Parameters<Scalar = T>>(
        &self,
        step: Step,
        w: &mut P,
        gradient: &P,
        slots: &mut [&mut P],
    ) -> Result<(), OptimError>
    where
        Self: Sized,
    {
        self.check()?;
        error::not_negative("learning rate", step.rate)?;
        if slots.len() < self.slots() {
            return Err(OptimError::Slots {
                found: slots.len(),
                needed: self.slots(),
            });
        }
        for (index, tensor) in P::TENSORS.iter().enumerate() {
            let mut slots = slots.iter_mut().map(|slot| slot.tensor_mut(index));
            let slots = [
                slots.next().unwrap_or_default(),
                slots.next().unwrap_or_default(),
            ];
            let (w, dw) = (w.tensor_mut(index), gradient.tensor(index));
            let step = match self.by_norms() {
                true => step.times(self.factor(tensor.role, norm(w), norm(dw))),
                false => step,
            };
            update(self, step, tensor.role, w, dw, slots);
        }
        Ok(())
    }
}

/// The L2 norm, in f64, where the square of no f32 overflows.
pub(crate) fn norm<T: Real>(values: &[T]) -> f64 {
    let squares = values.iter().map(|&v| v.widen() * v.widen());
    libm::sqrt(squares.sum())
}

/// How far a step moves the statistics of a `batch_norm` to those of the batch if its declaration does not say: a tenth,
/// as in PyTorch.
pub const MOMENTUM: f64 = crate::layer::batch_norm::MOMENTUM;

/// One step of one tensor, or a part of it, that may be a statistic.
pub(crate) fn update<T: Real>(
    optimizer: &impl Optimizer<T>,
    step: Step,
    role: Role,
    w: &mut [T],
    dw: &[T],
    slots: [&mut [T]; 2],
) {
    let Some(momentum) = role.momentum() else {
        return optimizer.update(step, role, w, dw, slots);
    };
    let momentum = T::of(momentum);
    for (w, &dw) in w.iter_mut().zip(dw) {
        *w -= momentum * dw;
    }
}

/// The weight decay that a tensor gets.
fn decay<T: Real>(weight_decay: f64, role: Role) -> T {
    match role {
        Role::Filters | Role::Grouped(_) | Role::Weights => T::of(weight_decay),
        Role::Bias | Role::Gain | Role::Slope | Role::Mean(_) | Role::Variance(..) => T::ZERO,
    }
}

#[cfg(test)]
mod tests;
