//! Learning rates over time: constant, falling in steps, falling along a cosine, once or again and again,
//! after a warm-up, up and down in one cycle (CS231n, *Annealing the learning rate*).
//!
//! **Invariant:** a schedule is a function of the step and nothing else, so a run that is resumed
//! needs to know only how many updates it has made.

use core::f64::consts::PI;
use core::fmt;

/// The learning rate at each step. A step is one update, not one epoch.
pub trait Schedule {
    /// The learning rate of the update that follows `step` others; the first has `step` 0.
    fn rate(&self, step: u64) -> f64;
}

impl<S: Schedule + ?Sized> Schedule for &S {
    fn rate(&self, step: u64) -> f64 {
        (**self).rate(step)
    }
}

#[cfg(feature = "alloc")]
impl<S: Schedule + ?Sized> Schedule for alloc::boxed::Box<S> {
    fn rate(&self, step: u64) -> f64 {
        (**self).rate(step)
    }
}

/// The same rate always.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant(pub f64);

impl Schedule for Constant {
    fn rate(&self, _: u64) -> f64 {
        self.0
    }
}

/// `rate · factorⁿ` after `n · every` steps.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::schedule::{Schedule, StepDecay};
///
/// let halved = StepDecay { rate: 0.8, factor: 0.5, every: 100 };
/// assert_eq!([0, 99, 100, 250].map(|step| halved.rate(step)), [0.8, 0.8, 0.4, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepDecay {
    /// The first rate.
    pub rate: f64,
    /// What it is multiplied by.
    pub factor: f64,
    /// After so many steps each time; never if 0.
    pub every: u64,
}

impl Schedule for StepDecay {
    fn rate(&self, step: u64) -> f64 {
        let times = step.checked_div(self.every).unwrap_or(0);
        self.rate * libm::pow(self.factor, float(times))
    }
}

/// Half a cosine, from `rate` down to `floor` in `steps` steps; `floor` from then on.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::schedule::{Cosine, Schedule};
///
/// let cosine = Cosine { rate: 1.0, floor: 0.0, steps: 100 };
/// assert_eq!((cosine.rate(0), cosine.rate(100), cosine.rate(101)), (1.0, 0.0, 0.0));
/// assert!((cosine.rate(50) - 0.5).abs() < 1e-15);
/// ```
///
/// Source: I. Loshchilov and F. Hutter, *SGDR: stochastic gradient descent with warm restarts*,
/// 2017, without the restarts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    /// The first rate.
    pub rate: f64,
    /// The last.
    pub floor: f64,
    /// How long it takes to get there.
    pub steps: u64,
}

impl Schedule for Cosine {
    fn rate(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.floor;
        }
        let turn = libm::cos(PI * float(step) / float(self.steps));
        self.floor + (self.rate - self.floor) * 0.5 * (1.0 + turn)
    }
}

/// A straight line up to the first rate of another schedule, which then begins.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::schedule::{Constant, Schedule, WarmUp};
///
/// let warm_up = WarmUp { steps: 4, then: Constant(1.0) };
/// assert_eq!([0, 1, 2, 3, 4].map(|step| warm_up.rate(step)), [0.25, 0.5, 0.75, 1.0, 1.0]);
/// ```
///
/// Source: P. Goyal et al., *Accurate, large minibatch SGD*, 2017, section 2.2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmUp<S> {
    /// How many steps the line takes.
    pub steps: u64,
    /// What follows; its step 0 is the step number `steps` of the whole.
    pub then: S,
}

impl<S: Schedule> Schedule for WarmUp<S> {
    fn rate(&self, step: u64) -> f64 {
        match step.checked_sub(self.steps) {
            Some(step) => self.then.rate(step),
            None => self.then.rate(0) * float(step + 1) / float(self.steps),
        }
    }
}

/// A [`Cosine`] that begins anew each time it has come down: after `steps` steps, then after `times` as
/// many, and so on.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::schedule::{Schedule, WarmRestarts};
///
/// let restarts = WarmRestarts { rate: 1.0, floor: 0.0, steps: 10, times: 2 };
/// assert_eq!([0, 10, 30, 70].map(|step| restarts.rate(step)), [1.0; 4]);
/// assert!((restarts.rate(5) - 0.5).abs() < 1e-15 && (restarts.rate(20) - 0.5).abs() < 1e-15);
/// ```
///
/// Source: I. Loshchilov and F. Hutter, *SGDR: stochastic gradient descent with warm restarts*, 2017.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmRestarts {
    /// The first rate of each fall.
    pub rate: f64,
    /// Where each fall goes to.
    pub floor: f64,
    /// How many steps the first takes; with 0, the rate stays at the floor.
    pub steps: u64,
    /// How many times as long each is as the one before; 0 counts as 1.
    pub times: u64,
}

impl Schedule for WarmRestarts {
    fn rate(&self, step: u64) -> f64 {
        let Self { rate, floor, .. } = *self;
        let (mut step, mut steps) = (step, self.steps);
        if self.times <= 1 {
            step = step.checked_rem(steps).unwrap_or(0);
        }
        // Each is twice as long as the one before, at least: 64 rounds at most.
        while step >= steps && steps > 0 {
            step -= steps;
            steps = steps.saturating_mul(self.times.max(1));
        }
        Cosine { rate, floor, steps }.rate(step)
    }
}

/// One cycle: along half a cosine up to `rate`, then along another down to next to nothing. The rate begins
/// at a 25th of `rate` and ends at a 10,000th of that.
///
/// As PyTorch's `OneCycleLR` with its defaults, which turns the momentum the other way, too: here it stays.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::schedule::{OneCycle, Schedule};
///
/// let cycle = OneCycle { rate: 1.0, rise: 0.3, steps: 100 };
/// let is = |step, rate: f64| (cycle.rate(step) - rate).abs() < 1e-15;
/// assert!(is(0, 0.04) && is(29, 1.0) && is(99, 4e-6));
/// ```
///
/// Source: L. Smith and N. Topin, *Super-convergence: very fast training of neural networks using large
/// learning rates*, 2018.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    /// The highest rate.
    pub rate: f64,
    /// Which share of the steps goes up, 0 to 1; 0.3 is usual.
    pub rise: f64,
    /// How long the cycle is; the last rate stays.
    pub steps: u64,
}

impl Schedule for OneCycle {
    fn rate(&self, step: u64) -> f64 {
        let (start, end) = (self.rate / 25.0, self.rate / 25e4);
        let last = float(self.steps) - 1.0;
        let top = (self.rise.clamp(0.0, 1.0) * float(self.steps) - 1.0).max(0.0);
        let at = float(step);
        let cosine =
            |from: f64, to: f64, share: f64| to + (from - to) * 0.5 * (1.0 + libm::cos(PI * share));
        match () {
            () if at >= last => end,
            () if at < top => cosine(start, self.rate, at / top),
            () => cosine(self.rate, end, (at - top) / (last - top)),
        }
    }
}

impl fmt::Display for WarmRestarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rate {} down to {} along cosines of {} steps, each {} times as long as the one before",
            self.rate, self.floor, self.steps, self.times
        )
    }
}

impl fmt::Display for OneCycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "one cycle of {} steps, up to {} in the first {} of them",
            self.steps, self.rate, self.rise
        )
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rate {}", self.0)
    }
}

impl fmt::Display for StepDecay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rate {}, times {} every {} steps",
            self.rate, self.factor, self.every
        )
    }
}

impl fmt::Display for Cosine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rate {} down to {} along a cosine of {} steps",
            self.rate, self.floor, self.steps
        )
    }
}

impl<S: fmt::Display> fmt::Display for WarmUp<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps of warm-up, then {}", self.steps, self.then)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "2⁵³ steps take longer than anybody waits"
)]
const fn float(steps: u64) -> f64 {
    steps as f64
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn the_cosine_begins_when_the_warm_up_ends() {
        let schedule = WarmUp {
            steps: 10,
            then: Cosine {
                rate: 0.1,
                floor: 0.02,
                steps: 100,
            },
        };
        assert_eq!(schedule.rate(0), 0.1 / 10.0);
        assert_eq!((schedule.rate(9), schedule.rate(10)), (0.1, 0.1));
        // (0.1 + 0.02)/2 half way; cos(π/3) = 1/2 a third of the way down.
        assert!((schedule.rate(60) - 0.06).abs() < 1e-15);
        assert_eq!((schedule.rate(110), schedule.rate(u64::MAX)), (0.02, 0.02));
        assert!((1..100).all(|step| schedule.rate(10 + step) < schedule.rate(9 + step)));
        assert_eq!(
            schedule.to_string(),
            "10 steps of warm-up, then rate 0.1 down to 0.02 along a cosine of 100 steps"
        );
    }

    #[test]
    fn a_length_of_zero_is_not_a_division_by_zero() {
        assert_eq!(
            StepDecay {
                rate: 0.1,
                factor: 0.5,
                every: 0
            }
            .rate(7),
            0.1
        );
        assert_eq!(
            Cosine {
                rate: 0.1,
                floor: 0.01,
                steps: 0
            }
            .rate(0),
            0.01
        );
        assert_eq!(
            WarmUp {
                steps: 0,
                then: Constant(0.1)
            }
            .rate(0),
            0.1
        );
    }
}
