//! Weights of noise.

use convnet::{Network, OnHeap, Rng};

/// Random weights, the statistics of norms too.
pub(crate) fn random<N: Network<Scalar = f32> + OnHeap>() -> Box<N> {
    let mut net = N::random(231);
    let mut rng = Rng::new(7);
    for index in 0..N::TENSORS.len() {
        if N::TENSORS[index].shape.len() == 1 {
            let values = net.tensor_mut(index).iter_mut();
            values.for_each(|it| *it = 0.5 + rng.normal().abs() as f32);
        }
    }
    net
}
