//! Which `fc` is large.

use super::Step;

/// So many filters are bound by the memory that they pass through, and no longer by arithmetic,
/// whatever else there is.
const MANY: usize = 1 << 17;

/// So many still are, where images that wait at the `fc` take little of the cache beside them.
const SOME: usize = 1 << 13;

impl Step {
    /// Of the `fc` that is step `i`: one if the images of a batch [meet](crate::Trainable::forward_fc) at
    /// it, or zero.
    #[must_use]
    pub const fn meetings(steps: &[Self], i: usize) -> usize {
        let filters = steps[i].parameters.saturating_sub(steps[i].volume[2]);
        let most = filters >= SOME && filters / 2 >= activations(steps);
        (filters >= MANY || most) as usize
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
