//! Groups that are computed row by row: a `conv`, activations that never fall, a `RowPool`.
//!
//! ```text
//!  Conv ──▶ Activation ──▶ RowPool { back: 2 } ──▶
//!       a few rows      the largest of a window, then the activation of that
//! ```

use super::Op;
use super::block::readers;

/// The `RowPool` to whose group layer `layer` belongs, unless it is the pool itself, and how many
/// rows of the `conv` that one sees.
pub(super) const fn pool_of(ops: &[Op], layer: usize) -> Option<(usize, usize)> {
    let mut pool = layer + 1;
    while pool < ops.len() {
        match ops[pool] {
            Op::Activation => pool += 1,
            Op::RowPool { window, back } if back <= pool && pool - back <= layer => {
                return match is_group(ops, pool - back, pool) {
                    true => Some((pool, window.size[0])),
                    false => None,
                };
            }
            _ => return None,
        }
    }
    None
}

/// Whether nobody else reads what the `conv` and the activations write.
const fn is_group(ops: &[Op], conv: usize, pool: usize) -> bool {
    let mut layer = conv;
    while layer < pool {
        let right = match ops[layer] {
            Op::Conv { groups: 1, .. } => layer == conv,
            Op::Activation => layer > conv,
            _ => false,
        };
        if !right || readers(ops, layer + 1) > 0 {
            return false;
        }
        layer += 1;
    }
    pool > conv
}
