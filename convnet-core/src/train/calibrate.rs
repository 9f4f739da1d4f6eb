//! The statistics of a network set to those of a data set.

use super::TrainError;
use super::batch::{Batch, Shards};
use crate::data::Samples;
use crate::loss::SoftmaxCrossEntropy;
use crate::{Real, Trainable};

/// Sets the running statistics of every `batch_norm` to the mean of those of batches of about 32
/// images of `samples`: what PyTorch's `torch.optim.swa_utils.update_bn` does.
///
/// After training, for statistics of all images under the last weights instead of a running
/// estimate; or before one by hand, which does not normalise by a batch's own. Images are seen as in
/// training, augmented and with dropout, by `seed`. One pass, over a few hundred images at least.
/// Does nothing for a network without statistics.
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
    let tensors = N::TENSORS.iter().enumerate();
    let statistics = tensors.filter(|(_, tensor)| !tensor.role.is_learned());
    let statistics: Vec<usize> = statistics.map(|(index, _)| index).collect();
    if statistics.is_empty() {
        return Ok(());
    }
    let images: Vec<usize> = (0..samples.len()).collect();
    // All of one size, or nearly: none that is too small to have a variance.
    let batches = images.len().div_ceil(IMAGES_A_BATCH);
    let cut = |number| number * images.len() / batches;
    let mut shards = Shards::<N>::new(SHARDS.min(images.len()));
    for number in 0..batches {
        let batch = Batch {
            samples,
            loss: &SoftmaxCrossEntropy::default(),
            images: &images[cut(number)..cut(number + 1)],
            seed,
        };
        shards.run(&*net, &batch)?;
        let share = N::Scalar::of(batch.images.len() as f64 / cut(number + 1) as f64);
        for &index in &statistics {
            let off = shards.mean(index, batch.images.len());
            for (scalar, off) in net.tensor_mut(index).iter_mut().zip(off) {
                *scalar -= share * off;
            }
        }
    }
    Ok(())
}

const IMAGES_A_BATCH: usize = 32;

/// Independent of the number of threads, so that the sums are too.
const SHARDS: usize = 8;
