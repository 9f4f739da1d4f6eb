//! Groups: filters and what follows them, computed at once.
//!
//! ```text
//!  Conv ──▶ BatchNorm ──▶ Clamp ──▶ MaxPool ──▶    prepared: the norm is folded into the filters, what
//!     └──────────┬──────────┘                      is stored is clamped, and the pool takes rows as
//!                                                  they come where the algorithm can
//!  Conv ──▶ Clamp ──▶ MaxPool ──▶                  `#[row_by_row]`: the pool takes rows as they come,
//!                                                  then the clamp of what it leaves
//! ```

use super::block::Readers;
use super::elements::{bytes, lines};
use super::{Op, Options, Step, sizes, volume};
use crate::graph::{Manner, Sees};
use crate::kernel::Algorithm;
use crate::kernel::i8::{Layout, PAIRS};
use crate::shape::Window;

/// The layers that follow filters and can be computed with them: first a norm, then clamps, then a pool.
/// Each reads what the one before writes, which nobody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The layer with the filters.
    pub first: usize,
    /// The `BatchNorm` that can be folded into the filters.
    pub norm: Option<usize>,
    /// How many clamps there are of what is stored.
    pub clamps: usize,
    /// The `MaxPool`, if the filters are those of a `Conv`.
    pub pool: Option<usize>,
}

impl Group {
    /// The group whose filters are those of layer `first`.
    const fn of(ops: &[Op], readers: &[Readers], first: usize) -> Option<Self> {
        // What may be stored in another form is a group though nothing follows it.
        let (op, conv) = (&ops[first], ops[first].is_conv());
        let (pools, alone) = match (op.has_filters(), op.sees()) {
            (true, Sees::Slides) => (conv, conv),
            (true, Sees::Everything) => (false, true),
            (
                true,
                Sees::Pixel
                | Sees::Pools
                | Sees::Stamps
                | Sees::Padded
                | Sees::Between
                | Sees::All
                | Sees::Anything
                | Sees::Inner,
            )
            | (false, _) => return None,
        };
        let (mut group, mut last) = (
            Self {
                first,
                norm: None,
                clamps: 0,
                pool: None,
            },
            first,
        );
        if let Some(op) = only_reader(ops, readers, last)
            && matches!(op.manner(), Manner::Normalises)
        {
            last += 1;
            group.norm = Some(last);
        }
        while let Some(op) = only_reader(ops, readers, last)
            && op.is_clamp()
        {
            last += 1;
            group.clamps += 1;
        }
        if let Some(op) = only_reader(ops, readers, last)
            && pools
            && op.is_max_pool()
            && matches!(
                op.window(),
                Some(Window {
                    dilation: [1, 1],
                    ..
                })
            )
        {
            group.pool = Some(last + 1);
        }
        match alone || last > first {
            true => Some(group),
            false => None,
        }
    }

    /// The last layer that is computed with the filters; a pool comes after it.
    #[must_use]
    pub const fn last(&self) -> usize {
        self.first + self.clamps + self.norm.is_some() as usize
    }

    /// Whether layer `i` is computed with the filters.
    pub(super) const fn holds(&self, i: usize) -> bool {
        self.first < i && i <= self.last()
    }

    /// The pool that can take rows of a network that is not prepared as they come, and how many it sees. (The
    /// largest of a window stays the largest after a clamp, but not after every norm.)
    const fn row_pool(&self, ops: &[Op]) -> Option<(usize, usize)> {
        match (self.norm, self.pool) {
            (None, Some(pool)) => match ops[pool].window() {
                Some(window) => Some((pool, window.size[0])),
                None => None,
            },
            (Some(_), _) | (_, None) => None,
        }
    }

    /// In an int8 network: how many rows of what the filters write there are for the pool, which takes them as they
    /// come; and what the filters work in. (There a norm is folded, and the largest stays the largest.)
    const fn keep_bytes(&self, input: [usize; 3], ops: &[Op], steps: &mut [Step]) {
        let Some(window) = ops[self.first].window() else {
            return;
        };
        let conv = sizes(input, steps, self.first, *window);
        let pooled = match self.pool {
            Some(pool) => match ops[pool].window() {
                Some(window) => Some(sizes(input, steps, pool, *window)),
                None => None,
            },
            None => None,
        };
        let layout = match PAIRS {
            true => Layout::choose(&conv, pooled.as_ref(), self.first == 0),
            false => Layout::Plain,
        };
        steps[self.first].work = layout.scratch(&conv, pooled.as_ref());
        if let Some(pooled) = pooled {
            steps[self.first].row_pool = self.pool;
            self.keep_rows(layout.rows(&conv, &pooled), steps);
        }
    }

    /// There are so many rows at a time of what the filters and the clamps write, or as many as there are.
    const fn keep_rows(&self, rows: usize, steps: &mut [Step]) {
        let mut i = self.first;
        while i <= self.last() {
            if rows < steps[i].rows {
                steps[i].rows = rows;
            }
            i += 1;
        }
    }

    /// How many rows of what the filters write the pool of a prepared network sees, if it takes them as
    /// they come: then there are no more of them.
    const fn pooled_rows(&self, input: [usize; 3], ops: &[Op], steps: &[Step]) -> Option<usize> {
        let Some(pool) = self.pool else {
            return None;
        };
        let (Some(filter), Some(window)) = (ops[self.first].window(), ops[pool].window()) else {
            return None;
        };
        let conv = sizes(input, steps, self.first, *filter);
        let pooled = sizes(input, steps, pool, *window);
        let ([height, width, depth], rows) = (conv.y, window.size[0]);
        // The input must outlive the pool for it, and may not make the arena larger.
        let apart = lines(bytes([rows, width, depth], steps[self.first].element));
        let together = apart.saturating_add(lines(steps[pool].bytes()));
        let fits = self.first == 0 || together <= lines(steps[self.last()].bytes());
        let pools = fits && rows < height && Algorithm::always_pools(&conv, &pooled);
        match pools {
            true => Some(rows),
            false => None,
        }
    }
}

/// Which layers are computed at once, and how many rows of what they write there are at a time.
pub(super) const fn find(
    options: Options<'_>,
    input: [usize; 3],
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
) {
    let mut i = 0;
    while i < ops.len() {
        let height = steps[i].volume[0];
        (steps[i].group, steps[i].row_pool) = (None, None);
        (steps[i].rows, steps[i].prepared.rows) = (height, height);
        steps[i].prepared.x_rows = 0;
        steps[i].work = 0;
        i += 1;
    }
    i = 0;
    while i < ops.len() {
        if let Some(group) = Group::of(ops, readers, i) {
            steps[i].group = Some(group);
            if options.int8 && ops[i].is_conv() {
                group.keep_bytes(input, ops, steps);
            } else if options.row_by_row
                && let Some((pool, rows)) = group.row_pool(ops)
            {
                steps[i].row_pool = Some(pool);
                group.keep_rows(rows, steps);
            }
            if let Some(rows) = group.pooled_rows(input, ops, steps) {
                steps[i].prepared.rows = rows;
                steps[i].prepared.x_rows = volume(input, steps, i)[0];
            }
        }
        i += 1;
    }
}

/// The layer after layer `i`, if nobody else reads what that writes.
pub(super) const fn only_reader(ops: &[Op], readers: &[Readers], i: usize) -> Option<Op> {
    match i + 1 < ops.len() && readers[i + 1].count == 0 {
        true => Some(ops[i + 1]),
        false => None,
    }
}
