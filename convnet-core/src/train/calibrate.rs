//! The statistics of a network set to those of a data set.

use num_traits::{ConstZero, Float};

use super::TrainError;
use super::batch::{Batch, Shards};
use crate::data::Samples;
use crate::loss::SoftmaxCrossEntropy;
use crate::{Role, Trainable};

/// Sets the mean and variance of every `batch_norm` to those of its input over `samples`.
///
/// Before training, so that the first steps are normalised already; or after it, for statistics of
/// all images instead of a running estimate. Images are seen as in training, augmented and with
/// dropout, by `seed`.
///
/// What one `batch_norm` sees depends on those before it, so there are as many passes as there are
/// of them: in a chain the first is right after one pass, the second after two. A few hundred images
/// are enough. Does nothing for a network without statistics.
///
/// # Errors
///
/// [`TrainError`], if the samples do not fit the network; it is then as it was.
pub fn calibrate<N, S>(net: &mut N, samples: &S, seed: u64) -> Result<(), TrainError>
where
    N: Trainable + Send + Sync,
    S: Samples,
{
    TrainError::check_samples::<N>("calibration", samples)?;
    let means = N::TENSORS.iter().enumerate();
    let paired = |index: usize| {
        let next = N::TENSORS.get(index + 1);
        next.is_some_and(|next| next.role == Role::Variance)
    };
    let means = means.filter(|&(index, tensor)| tensor.role == Role::Mean && paired(index));
    let means: Vec<usize> = means.map(|(index, _)| index).collect();
    let images: Vec<usize> = (0..samples.len()).collect();
    let mut shards = Shards::<N>::new(SHARDS.min(images.len()));
    let batch = Batch {
        samples,
        loss: &SoftmaxCrossEntropy::default(),
        images: &images,
        seed,
    };
    for _ in &means {
        shards.run(&*net, &batch)?;
        for &mean in &means {
            let (off, spread) = (
                shards.mean(mean, images.len()),
                shards.mean(mean + 1, images.len()),
            );
            // The spread is about the old mean; about the new one it is smaller.
            for (scalar, &off) in net.tensor_mut(mean).iter_mut().zip(&off) {
                *scalar -= off;
            }
            let variance = net.tensor_mut(mean + 1).iter_mut();
            for (scalar, (&spread, &off)) in variance.zip(spread.iter().zip(&off)) {
                *scalar = Float::max(*scalar - spread - off * off, N::Scalar::ZERO);
            }
        }
    }
    Ok(())
}

/// Independent of the number of threads, so that the sums are too.
const SHARDS: usize = 16;
