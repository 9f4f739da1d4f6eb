//! A small training, and a set that lets it fail.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use convnet_core::data::{self, Images, Samples, Subset};
use convnet_core::init::Init;
use convnet_core::optim::Adam;
use convnet_core::train::{History, Trainer};
use convnet_core::{Parameters, Real};

use super::digit::Digit;

pub(crate) fn digits() -> Images {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/digits.csv.gz"
    );
    data::digits(path).unwrap()
}

/// A tenth of the digits, to be quick.
pub(crate) fn few(digits: &Images) -> Subset<&Images> {
    data::split(digits, 0.1, 9).unwrap().1
}

pub(crate) fn net() -> Box<Digit> {
    let mut net = bytemuck::zeroed_box();
    Init::default().fill(&mut *net, 231);
    net
}

/// Every bit of the parameters.
pub(crate) fn bits(net: &Digit) -> Vec<u32> {
    let tensors = (0..Digit::<f32>::TENSORS.len()).map(|index| net.tensor(index));
    tensors
        .flat_map(|tensor| tensor.iter().map(|w| w.to_bits()))
        .collect()
}

/// Batches of 24: the last is smaller, and does not fill the shards evenly.
pub(crate) fn trainer() -> Trainer<Adam> {
    Trainer::new(Adam::default())
        .learning_rate(3e-3)
        .batch_size(24)
        .shards(5)
        .seed(7)
        .epochs(4)
}

/// All but the speed, which differs from run to run.
pub(crate) fn timeless(mut history: History) -> History {
    history
        .epochs
        .iter_mut()
        .for_each(|epoch| epoch.images_per_second = 0.0);
    history
}

/// A set whose image 5 makes the loss infinite from the time it is told to.
pub(crate) struct Trap<S>(S, AtomicUsize);

impl<S: Samples> Samples for Trap<S> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.0.shape()
    }

    fn classes(&self) -> usize {
        self.0.classes()
    }

    fn label(&self, index: usize) -> usize {
        self.0.label(index)
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.0.image(index, image);
        // No underflow: what is 0 stays 0.
        if self
            .1
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
            .is_err()
        {
            image.fill(T::infinity());
        }
    }
}

pub(crate) fn trap<S: Samples>(set: S, images: usize) -> Trap<S> {
    Trap(set, images.into())
}
