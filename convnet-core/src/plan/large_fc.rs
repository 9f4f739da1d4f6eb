//! Which `fc` is large.

use super::Step;

/// Whether an `fc` of so many filters is bound by the memory that they pass through, and no longer by
/// arithmetic: then the images of a batch [meet](crate::Trainable::forward_fc) at it.
const fn is_large_fc(filters: usize) -> bool {
    filters >= 1 << 17
}

impl Step {
    /// Of an `fc`: one if images meet at it, or zero.
    #[must_use]
    pub const fn meetings(&self) -> usize {
        is_large_fc(self.parameters.saturating_sub(self.volume[2])) as usize
    }
}
