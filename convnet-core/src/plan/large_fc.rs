//! Which `fc` is large.

use super::Step;
use crate::kernel::cache::{L1, L2, scalars};

impl Step {
    /// Of the `fc` that is step `i`: one if it takes [several images at once](crate::Trainable::forward_fc),
    /// or zero.
    ///
    /// Filters that fill the second-level cache are bound by the memory that they pass through, and no
    /// longer by arithmetic, whatever else there is. Those that fill the first still are, where images
    /// that wait at the `fc` take little of the cache beside them.
    #[must_use]
    pub const fn micro_batches(steps: &[Self], i: usize) -> usize {
        let filters = steps[i].parameters.saturating_sub(steps[i].volume[2]);
        let most = filters >= scalars::<f32>(L1) && filters / 2 >= activations(steps);
        (filters >= scalars::<f32>(L2) || most) as usize
    }
}

/// Scalars of all volumes but the input.
const fn activations(steps: &[Step]) -> usize {
    let (mut sum, mut i) = (0_usize, 0);
    while i < steps.len() {
        let [height, width, depth] = steps[i].volume;
        sum = sum.saturating_add(height.saturating_mul(width).saturating_mul(depth));
        i += 1;
    }
    sum
}
