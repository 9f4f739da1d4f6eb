//! The statistics of a network set to those of a data set.

use std::marker::PhantomData;

use num_traits::ConstZero;

use super::batch::{Batch, Shards};
use super::pass::{Plain, Through};
use super::{Local, LossFor, TrainError};
use crate::data::{Samples, Target};
use crate::learn::loss::LossError;
use crate::{Real, Rng, Trainable};

/// Sets the running statistics of every `batch_norm` to the mean of those of batches of about 32
/// images of `samples`: what PyTorch's `torch.optim.swa_utils.update_bn` does.
///
/// After training, for statistics of all images under the last weights instead of a running
/// estimate; or before one by hand, which does not normalise by a batch's own. Images are seen as in
/// training, augmented and with dropout, by `seed`. One pass, over a few hundred images at least.
/// What stood there before does not matter, however far off it was. Does nothing for a network
/// without statistics.
///
/// In a network without a `batch_norm`, statistics are those of layers of one's own, which images
/// alone are normalised by: there they move from where they are.
///
/// # Errors
///
/// [`TrainError`], if the samples do not fit the network or a statistic is infinite or no number; it
/// is then as it was.
pub fn calibrate<N, S, Y>(net: &mut N, samples: &S, seed: u64) -> Result<(), TrainError>
where
    N: Trainable + Send + Sync,
    Y: Target,
    S: Samples<Y>,
{
    TrainError::check_images::<N, _, _>("calibration", samples)?;
    // Batches are cut evenly, so that one of one image there is only where there are no others.
    if samples.len() == 1 {
        TrainError::check_batches::<N>(1, IMAGES_A_BATCH, 1)?;
    }
    let tensors = N::TENSORS.iter().enumerate();
    let statistics = tensors.filter(|(_, tensor)| !tensor.role.is_learned());
    let statistics: Vec<usize> = statistics.map(|(index, _)| index).collect();
    if statistics.is_empty() {
        return Ok(());
    }
    let before: Vec<Vec<N::Scalar>> = statistics
        .iter()
        .map(|&index| net.tensor(index).to_vec())
        .collect();
    let samples = Unasked {
        samples,
        instead_of: PhantomData,
    };
    let moved = run(net, &samples, seed, &statistics);
    if moved.is_err() {
        for (&index, before) in statistics.iter().zip(&before) {
            net.tensor_mut(index).copy_from_slice(before);
        }
    }
    moved
}

/// Moves the `statistics`, those tensors, batch by batch to the mean of all batches so far.
fn run<N, S>(net: &mut N, samples: &S, seed: u64, statistics: &[usize]) -> Result<(), TrainError>
where
    N: Trainable + Send + Sync,
    S: Samples<Nothing>,
{
    if N::EXCHANGES {
        // A batch is normalised by its own statistics. How far it is off what stands there is measured
        // in the network's scalars: off 0 it is exact, off 1e10 nothing would be left of it.
        let zero = |&index: &usize| net.tensor_mut(index).fill(N::Scalar::ZERO);
        statistics.iter().for_each(zero);
    }
    let mut means: Vec<Vec<f64>> = statistics
        .iter()
        .map(|&index| net.tensor(index).iter().map(|v| v.widen()).collect())
        .collect();
    let images: Vec<usize> = (0..samples.len()).collect();
    // All of one size, or nearly: none that is too small to have a variance.
    let batches = images.len().div_ceil(IMAGES_A_BATCH);
    let cut = |number| number * images.len() / batches;
    let mut shards = Shards::<N, Nothing>::new(SHARDS.min(images.len()), &Local);
    for number in 0..batches {
        let batch = Batch {
            samples,
            loss: &Nothing,
            images: &images[cut(number)..cut(number + 1)],
            seed,
            more: false,
            last: true,
        };
        let through = Through {
            net: &*net,
            pass: &Plain,
        };
        shards.run(through, &batch)?;
        let share = batch.images.len() as f64 / cut(number + 1) as f64;
        for (&index, means) in statistics.iter().zip(&mut means) {
            let off = shards.mean(index, batch.images.len());
            let standing = net.tensor_mut(index).iter_mut();
            for ((scalar, mean), off) in standing.zip(&mut *means).zip(off) {
                let of_batch = scalar.widen() - off.widen();
                *mean += share * (of_batch - *mean);
                *scalar = N::Scalar::of(*mean);
            }
            if let Some(&value) = means.iter().find(|mean| !mean.is_finite()) {
                return Err(TrainError::Statistic {
                    tensor: N::TENSORS[index].name,
                    images: cut(number)..cut(number + 1),
                    value,
                });
            }
        }
    }
    Ok(())
}

/// The images of a set, with nothing to answer to them.
struct Unasked<'a, S, Y> {
    samples: &'a S,
    instead_of: PhantomData<fn() -> Y>,
}

impl<S: Samples<Y>, Y: Target> Samples<Nothing> for Unasked<'_, S, Y> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.samples.shape()
    }

    fn label(&self, _: usize) -> Nothing {
        Nothing
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.samples.image(index, image);
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        self.samples.augmented(index, image, rng);
    }
}

/// A target, and the loss that goes with it: nothing is learned.
struct Nothing;

impl Target for Nothing {
    fn digest(&self, _: &mut impl FnMut(&[u8])) {}
}

impl<T: Real> LossFor<T, Nothing> for Nothing {
    fn loss_for(&self, _: &[T], _: &Nothing, d_scores: &mut [T]) -> Result<T, LossError> {
        d_scores.fill(T::ZERO);
        Ok(T::ZERO)
    }
}

const IMAGES_A_BATCH: usize = 32;

/// Independent of the number of threads, so that the sums are too.
const SHARDS: usize = 8;
