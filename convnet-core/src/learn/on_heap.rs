//! Networks, and their memory, built in place on the heap.

use alloc::boxed::Box;

use super::init::Init;
use crate::memory::heap::zeroed_box;
use crate::{Arena, Tape, Trainable};

/// A network, and the memory that it works in, built in place on the heap: for any network and scalar.
///
/// What `convnet!` declares has these functions without this trait, in `f32`: `Cifar::random(1)` is a
/// `Box<Cifar<f32>>`. For `f64`, to check gradients, and in code that is generic over networks, the
/// trait is needed:
///
/// ```
/// # use convnet_core as convnet;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/digit.rs"));
/// use convnet::OnHeap;
///
/// # fn main() {
/// let net = Digit::<f64>::random(231);
/// let mut arena = Digit::<f64>::arena();
/// let scores = net.forward(&Volume::ZERO, &mut arena);
/// assert_eq!(scores.best(), 0);
/// # }
/// ```
pub trait OnHeap: Trainable {
    /// All parameters zero.
    #[must_use]
    fn boxed() -> Box<Self> {
        zeroed_box()
    }

    /// Filters drawn at random by `seed` ([Kaiming](Init::KaimingNormal)), biases zero: ready to be
    /// trained.
    #[must_use]
    fn random(seed: u64) -> Box<Self> {
        let mut network = Self::boxed();
        Init::KaimingNormal.fill(&mut *network, seed);
        network
    }

    /// An arena for [`forward`](crate::Network::forward).
    #[must_use]
    fn arena() -> Box<Arena<Self>> {
        zeroed_box()
    }

    /// A tape for [`forward_train`](Trainable::forward_train) and [`backward`](Trainable::backward).
    #[must_use]
    fn tape() -> Box<Tape<Self>> {
        zeroed_box()
    }
}

impl<N: Trainable> OnHeap for N {}
