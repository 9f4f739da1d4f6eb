//! What a layer works in while it is trained: behind the volumes of the tape, for one layer at a time.

use super::elements::lines;
use super::{Op, Step, sizes};
use crate::kernel::conv_scratch;
use crate::scalar::element::ElementType;

/// As many bytes as the layer that needs most of them.
pub(super) const fn most(input: [usize; 3], ops: &[Op], steps: &[Step]) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < ops.len() {
        if let Some(window) = ops[i].window()
            && ops[i].is_conv()
        {
            let scalars = conv_scratch(&sizes(input, steps, i, *window));
            let scratch = lines(scalars * ElementType::F32.bytes());
            if scratch > most {
                most = scratch;
            }
        }
        i += 1;
    }
    most
}
