//! The learning-rate finder: a few steps, each at a higher rate than the one before.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use super::run::{self, Run};
use super::trainer::AnySchedule;
use super::{LossFor, TrainError, Trainer};
use crate::data::{self, Samples, Target};
use crate::{Optimizer, Schedule, Trainable};

/// What [`Trainer::find_learning_rate`] has found. `Display` is a table, which ends with the suggestion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RangeTest {
    /// A rate a step, until the loss was four times as high as at its lowest, or no number.
    pub points: Vec<RatePoint>,
}

/// A step of a [`RangeTest`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatePoint {
    /// The learning rate.
    pub rate: f64,
    /// The mean loss of the step's batch, before its update.
    pub loss: f64,
    /// An exponential average of the losses so far.
    pub smoothed: f64,
}

impl RangeTest {
    /// The rate at which the smoothed loss falls the fastest on its way to its lowest; `None` if it never falls.
    /// A training with a constant rate begins well with it.
    #[must_use]
    pub fn suggestion(&self) -> Option<f64> {
        let lowest = self.lowest()?;
        let falls = self.points[..=lowest].windows(2);
        let falls = falls.map(|pair| (pair[1].rate, pair[0].smoothed - pair[1].smoothed));
        let steepest = falls.max_by(|(_, a), (_, b)| a.total_cmp(b));
        steepest
            .filter(|(_, fall)| *fall > 0.0)
            .map(|(rate, _)| rate)
    }

    /// Where the smoothed loss is the lowest.
    fn lowest(&self) -> Option<usize> {
        let losses = self.points.iter().map(|point| point.smoothed);
        let lowest = losses.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
        lowest.map(|(index, _)| index)
    }
}

impl<O, L> Trainer<O, L> {
    /// Finds a learning rate: trains a copy of `net` for so many steps at rates that grow evenly on a logarithmic
    /// scale from the first of `rates` to the last, in place of the [schedule](Self::schedule), and notes the loss
    /// of each. It stops when that has gone through the roof. 1e-6 to 1 in 100 steps is usual.
    ///
    /// Everything else is as [`fit`](Self::fit) would do it, on all [machines](Self::reduce), too; but no
    /// checkpoint is read or written, nothing is validated or shown, and `net` stays as it is.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/digit.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/digits.csv.gz");
    /// # let mut net: Box<Digit> = bytemuck::zeroed_box();
    /// use convnet::data;
    /// use convnet::init::Init;
    /// use convnet::optim::Adam;
    /// use convnet::train::Trainer;
    ///
    /// let digits = data::digits(path)?;
    /// Init::default().fill(&mut *net, 231);
    /// let found = Trainer::new(Adam::default()).find_learning_rate(&*net, &digits, 1e-5..=10.0, 60)?;
    /// println!("{found}");
    /// let rate = found.suggestion().ok_or("no rate makes the loss fall")?;
    /// assert!((1e-4..0.3).contains(&rate));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Source: L. Smith, *Cyclical learning rates for training neural networks*, 2017, section 3.3.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit); and if the rates do not grow, or there are fewer than two steps. That the loss is no
    /// number any more ends the test, and is no error.
    pub fn find_learning_rate<N, S, Y>(
        &self,
        net: &N,
        samples: &S,
        rates: RangeInclusive<f64>,
        steps: usize,
    ) -> Result<RangeTest, TrainError>
    where
        N: Trainable + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        O: Optimizer<N::Scalar> + Display + Sync,
        L: LossFor<N::Scalar, Y> + Display + Sync,
    {
        let mut copy: Box<N> = bytemuck::zeroed_box();
        run::copy(net, &mut *copy);
        match self.validation_share {
            None => self.range_test(&mut *copy, samples, rates, steps),
            Some(share) => {
                let (training, _) = data::split(samples, share, self.seed)?;
                self.range_test(&mut *copy, &training, rates, steps)
            }
        }
    }

    fn range_test<N, S, Y>(
        &self,
        net: &mut N,
        samples: &S,
        rates: RangeInclusive<f64>,
        steps: usize,
    ) -> Result<RangeTest, TrainError>
    where
        N: Trainable + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        O: Optimizer<N::Scalar> + Display + Sync,
        L: LossFor<N::Scalar, Y> + Display + Sync,
    {
        let (first, last) = rates.into_inner();
        let schedule = if !(first > 0.0 && first < last && last.is_finite()) {
            Err(TrainError::Setting {
                name: "the range of learning rates",
                found: format!("{first} to {last}"),
                expected: "two finite numbers above 0, the second larger than the first,",
            })
        } else if steps < 2 {
            Err(TrainError::Setting {
                name: "the number of steps",
                found: steps.to_string(),
                expected: "2 or more",
            })
        } else {
            Ok(Growing { first, last, steps })
        };
        self.in_pool(Box::new(|| {
            let schedule = schedule.map(|growing| Box::new(growing) as Box<dyn AnySchedule>);
            let (mut test, mut average, mut weight) = (RangeTest::default(), 0.0, 1.0);
            let mut lowest = f64::INFINITY;
            Run::<_, _, _, _, S, _>::try_rates(self, net, samples, schedule, |rate, loss| {
                average = SMOOTHING * average + (1.0 - SMOOTHING) * loss;
                weight *= SMOOTHING;
                let smoothed = average / (1.0 - weight);
                lowest = smoothed.min(lowest);
                let point = RatePoint {
                    rate,
                    loss,
                    smoothed,
                };
                test.points.push(point);
                test.points.len() == steps || smoothed > ROOF * lowest
            })?;
            Ok(test)
        }))
    }
}

/// How much of the average of losses stays with each step.
const SMOOTHING: f64 = 0.9;
/// How many times the lowest loss is through the roof.
const ROOF: f64 = 4.0;

/// Rates from the first to the last, each a constant times the one before.
struct Growing {
    first: f64,
    last: f64,
    steps: usize,
}

impl Schedule for Growing {
    fn rate(&self, step: u64) -> f64 {
        let share = step as f64 / (self.steps - 1) as f64;
        self.first * (self.last / self.first).powf(share)
    }
}

impl Display for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, steps } = self;
        write!(f, "from {first} up to {last} in {steps} steps")
    }
}

impl Display for RangeTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>10} {:>10} {:>10}", "rate", "loss", "smoothed")?;
        for RatePoint {
            rate,
            loss,
            smoothed,
        } in &self.points
        {
            writeln!(f, "{rate:>10.2e} {loss:>10.4} {smoothed:>10.4}")?;
        }
        match self.suggestion() {
            Some(rate) => write!(f, "the loss falls the fastest at a rate of {rate:.2e}"),
            None => f.write_str("the loss falls at none of these rates"),
        }
    }
}
