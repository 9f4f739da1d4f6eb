//! Many machines that train one network: each has a part of every batch, and what they find is added.
//!
//! ```text
//!  batch      │ 17 4 │ 99 8 ║ 23 │ 42 5 │     machine 0 has the first half of the shards, 1 the other
//!                 │      │       │     │
//!               0 └── + ─┘     1 └─ + ─┘       1. each sums the gradients of its shards
//!                     └───── + ────┘           2. Reduce: the sums of all machines, on all machines
//!                      W           W           3. each makes the same step
//! ```
//!
//! A batch with `batch_norm` is reduced at each of them, too, on the way forward and on the way back: its
//! [moments](crate::moments) are those of the whole batch.

use std::error::Error;

use super::TrainError;
use crate::Real;

/// How the machines of a training add up what each of them has found: [`Trainer::reduce`].
///
/// A training of many machines is one program that runs on each, with the same settings, the same
/// weights to begin with and the same images (each reads only those of its part of a batch; all read all
/// labels, and the images that are validated on). Each machine calls [`fit`](super::Trainer::fit), and
/// all come out with the same network. All call these methods in the same order, one at a time, with
/// slices of the same length, but on any thread of the pool that trains.
///
/// # The same to the bit
///
/// A batch is cut into [shards](super::Trainer::shards), and what they found is added in halves, and
/// halves of halves. A machine has as many shards as the others, or one more. So two machines give the
/// same network, to the bit, as one, whatever the order in which [`sum_f32`](Self::sum_f32) adds, and so
/// do four or eight if it adds in halves, too: (a + b) + (c + d). Otherwise they differ by rounding.
///
/// # Checkpoints
///
/// Machine 0 writes [checkpoints](super::Trainer::checkpoint), and all read them: the path is one that
/// all see. A training may go on from it on another number of machines.
///
/// # Example
///
/// Two machines that are threads, and send each other what they found:
///
/// ```
/// # use convnet_core as convnet;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/digit.rs"));
/// use std::error::Error;
/// use std::sync::Mutex;
/// use std::sync::mpsc::{Receiver, Sender, channel};
///
/// use convnet::data;
/// use convnet::init::Init;
/// use convnet::optim::Adam;
/// use convnet::train::{Reduce, TrainError, Trainer};
///
/// struct OneOfTwo { number: usize, to: Sender<Vec<f64>>, from: Mutex<Receiver<Vec<f64>>> }
///
/// impl OneOfTwo {
///     fn exchange(&self, mine: Vec<f64>) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
///         self.to.send(mine)?;
///         Ok(self.from.lock().map_err(|_| "a machine panicked")?.recv()?)
///     }
/// }
///
/// impl Reduce for OneOfTwo {
///     fn machines(&self) -> usize {
///         2
///     }
///
///     fn machine(&self) -> usize {
///         self.number
///     }
///
///     fn sum_f32(&self, values: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
///         let theirs = self.exchange(values.iter().map(|&value| value.into()).collect())?;
///         values.iter_mut().zip(theirs).for_each(|(value, more)| *value += more as f32);
///         Ok(())
///     }
///
///     fn sum_f64(&self, values: &mut [f64]) -> Result<(), Box<dyn Error + Send + Sync>> {
///         let theirs = self.exchange(values.to_vec())?;
///         values.iter_mut().zip(theirs).for_each(|(value, more)| *value += more);
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), TrainError> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/digits.csv.gz");
/// let digits = data::digits(path)?;
/// let (_, few) = data::split(&digits, 0.1, 0)?;
/// let train = |machine: Option<OneOfTwo>| {
///     let mut net: Box<Digit> = bytemuck::zeroed_box();
///     Init::default().fill(&mut *net, 231);
///     let mut trainer = Trainer::new(Adam::default()).epochs(2).threads(1);
///     if let Some(machine) = machine {
///         trainer = trainer.reduce(machine);
///     }
///     trainer.fit(&mut *net, &few)?;
///     Ok::<_, TrainError>(net.scores.bias)
/// };
/// let ((to_0, from_1), (to_1, from_0)) = (channel(), channel());
/// let machine_0 = OneOfTwo { number: 0, to: to_1, from: from_1.into() };
/// let machine_1 = OneOfTwo { number: 1, to: to_0, from: from_0.into() };
/// let (one, other) = std::thread::scope(|scope| {
///     let other = scope.spawn(|| train(Some(machine_1)));
///     (train(Some(machine_0)), other.join().expect("it does not panic"))
/// });
/// let alone = train(None)?;
/// assert_eq!((one?, other?), (alone, alone)); // to the bit
/// # Ok(())
/// # }
/// ```
///
/// [`Trainer::reduce`]: super::Trainer::reduce
pub trait Reduce: Send + Sync {
    /// How many machines there are, one at least.
    fn machines(&self) -> usize;

    /// Which of them this one is, counted from 0.
    fn machine(&self) -> usize;

    /// Replaces each of `values` by its sum over all machines: by the same bits on each.
    ///
    /// # Errors
    ///
    /// If the machines cannot talk to each other. The training stops.
    fn sum_f32(&self, values: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// The same in double precision.
    ///
    /// # Errors
    ///
    /// As [`sum_f32`](Self::sum_f32).
    fn sum_f64(&self, values: &mut [f64]) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// One machine, whose sums are those of all: what a trainer has unless it is told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Local;

impl Reduce for Local {
    fn machines(&self) -> usize {
        1
    }

    fn machine(&self) -> usize {
        0
    }

    fn sum_f32(&self, _: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    fn sum_f64(&self, _: &mut [f64]) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// The sums of scalars of a network.
pub(super) fn sum<T: Real>(reduce: &dyn Reduce, values: &mut [T]) -> Result<(), TrainError> {
    match T::as_f32_mut(values) {
        Some(values) => reduce.sum_f32(values),
        None => reduce.sum_f64(bytemuck::cast_slice_mut(values)),
    }
    .map_err(TrainError::Reduce)
}

/// The same of numbers about a training.
pub(super) fn sum_f64(reduce: &dyn Reduce, values: &mut [f64]) -> Result<(), TrainError> {
    reduce.sum_f64(values).map_err(TrainError::Reduce)
}

/// What this machine came to, unless another came to an error: then that is one here, too.
pub(super) fn all_well<T>(
    reduce: &dyn Reduce,
    result: Result<T, TrainError>,
) -> Result<T, TrainError> {
    let mut failed = [if result.is_err() { 1.0 } else { 0.0 }];
    let said = sum_f64(reduce, &mut failed);
    let result = result?;
    said?;
    match failed[0] > 0.0 {
        true => Err(TrainError::Elsewhere),
        false => Ok(result),
    }
}

/// Asks whether all machines have the same `checksum` of `what`: all come to the same answer.
pub(super) fn agree(
    reduce: &dyn Reduce,
    what: &'static str,
    checksum: u32,
) -> Result<(), TrainError> {
    // Their mean square is the square of their mean only if all are equal; of halves of 16 bits every
    // sum is exact.
    let halves = [checksum >> 16, checksum & 0xffff].map(f64::from);
    let [mut sums, mut squares] = [halves, halves.map(|half| half * half)];
    sum_f64(reduce, &mut sums)?;
    sum_f64(reduce, &mut squares)?;
    let machines = reduce.machines() as f64;
    match sums
        .iter()
        .zip(squares)
        .all(|(sum, square)| sum * sum == machines * square)
    {
        true => Ok(()),
        false => Err(TrainError::Unlike { what }),
    }
}
