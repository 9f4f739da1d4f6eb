//! Groups: filters and what follows them, computed at once.
//!
//! ```text
//!  Conv ──▶ BatchNorm ──▶ Clamp ──▶ MaxPool ──▶    prepared: the norm is folded into the filters,
//!     └──────────┬──────────┘                      and what is stored is clamped
//!  Conv ──▶ Clamp ──▶ RowPool { back: 2 } ──▶      a few rows at a time, prepared or not: the
//!                                                  largest of a window, then the clamp of that
//! ```

use super::block::Readers;
use super::{Op, Step, sizes};
use crate::kernel::Algorithm;

/// The layers of a prepared network that follow filters and are computed with them. Each reads
/// what the one before writes, which nobody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The `BatchNorm` that is folded into the filters.
    pub norm: Option<usize>,
    /// The `Clamp` of what is stored.
    pub clamp: Option<usize>,
    /// The `MaxPool`, if the filters are those of a `Conv`.
    pub pool: Option<usize>,
}

impl Group {
    /// The group whose filters are those of layer `first`.
    pub(super) const fn of(ops: &[Op], readers: &[Readers], first: usize) -> Option<Self> {
        // What may be stored in another form is a group though nothing follows it.
        let (pools, alone) = match ops[first] {
            Op::Conv { .. } => (true, true),
            Op::Depthwise { .. } => (false, false),
            Op::Fc { .. } => (false, true),
            _ => return None,
        };
        // Computed row by row, prepared or not.
        if row_pool(ops, readers, first).is_some() {
            return None;
        }
        let (mut group, mut last) = (
            Self {
                norm: None,
                clamp: None,
                pool: None,
            },
            first,
        );
        if let Some(Op::BatchNorm { .. }) = only_reader(ops, readers, last) {
            last += 1;
            group.norm = Some(last);
        }
        if let Some(op) = only_reader(ops, readers, last)
            && op.is_clamp()
        {
            last += 1;
            group.clamp = Some(last);
        }
        if let (Some(Op::MaxPool { .. }), true) = (only_reader(ops, readers, last), pools) {
            group.pool = Some(last + 1);
        }
        match alone || last > first {
            true => Some(group),
            false => None,
        }
    }

    /// Whether layer `i` is computed with the filters of the group's first layer; a pool comes after
    /// it.
    pub(super) const fn holds(&self, i: usize) -> bool {
        matches!(self.norm, Some(norm) if norm == i) || matches!(self.clamp, Some(at) if at == i)
    }

    /// How many rows of what layer `first` writes the pool sees, if it takes them as they come: then
    /// there are no more of them.
    pub(super) const fn pooled_rows(
        &self,
        input: [usize; 3],
        ops: &[Op],
        steps: &[Step],
        first: usize,
    ) -> Option<usize> {
        let Some(pool) = self.pool else {
            return None;
        };
        let (Op::Conv { window: filter, .. }, Op::MaxPool { window }) = (ops[first], ops[pool])
        else {
            return None;
        };
        let conv = sizes(input, steps, first, filter);
        let pooled = sizes(input, steps, pool, window);
        let ([height, width, depth], rows) = (conv.y, window.size[0]);
        // The input must outlive the pool for it, and may not make the arena larger.
        let fits = first == 0 || rows * width * depth + product(pooled.y) <= product(conv.y);
        let pools = fits
            && rows < height
            && Algorithm::choose(&conv, true).pools(&pooled)
            && Algorithm::choose(&conv, false).pools(&pooled);
        match pools {
            true => Some(rows),
            false => None,
        }
    }
}

/// The `RowPool` to whose group layer `layer` belongs, unless it is the pool itself, and how many
/// rows of the `conv` that one sees.
pub(super) const fn row_pool(
    ops: &[Op],
    readers: &[Readers],
    layer: usize,
) -> Option<(usize, usize)> {
    let mut pool = layer + 1;
    while pool < ops.len() {
        match ops[pool] {
            op if op.is_clamp() => pool += 1,
            Op::RowPool { window, back } if back <= pool && pool - back <= layer => {
                return match is_row_group(ops, readers, pool - back, pool) {
                    true => Some((pool, window.size[0])),
                    false => None,
                };
            }
            _ => return None,
        }
    }
    None
}

/// Whether nobody else reads what the `conv` and the clamps write.
const fn is_row_group(ops: &[Op], readers: &[Readers], conv: usize, pool: usize) -> bool {
    let mut layer = conv;
    while layer < pool {
        let right = match ops[layer] {
            Op::Conv { .. } => layer == conv,
            op => op.is_clamp() && layer > conv,
        };
        if !right || readers[layer + 1].count > 0 {
            return false;
        }
        layer += 1;
    }
    pool > conv
}

/// The layer after layer `i`, if nobody else reads what that writes.
const fn only_reader(ops: &[Op], readers: &[Readers], i: usize) -> Option<Op> {
    match i + 1 < ops.len() && readers[i + 1].count == 0 {
        true => Some(ops[i + 1]),
        false => None,
    }
}

const fn product([height, width, depth]: [usize; 3]) -> usize {
    height * width * depth
}
