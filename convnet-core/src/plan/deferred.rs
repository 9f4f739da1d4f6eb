//! What a generated program asks of its own plan, where sizes are the names of constants.

use super::block::Readers;
use super::memory::Buffer;
use super::{Depth, Nested, Op, Options, Plan, Step};
use crate::graph::Decimals;
use crate::shape::Window;

impl<const N: usize> Plan<N> {
    /// A plan of the same structure for one that does not fit: of 1x1 filters on one pixel. What
    /// reads it meets no second error.
    #[doc(hidden)]
    #[must_use]
    pub const fn placeholder(ops: &[Op; N], options: Options<'_>) -> Self {
        let mut small = *ops;
        shrink(&mut small);
        let mut steps = [Step::EMPTY; N];
        let (mut readers, mut buffers) = ([Readers::NONE; N], [[Buffer::EMPTY; 3]; N]);
        match super::fill(
            [1; 3],
            &small,
            &mut readers,
            &mut steps,
            &mut buffers,
            (Depth::One, options),
        ) {
            Ok(totals) => Self {
                input: [1; 3],
                steps,
                totals,
            },
            Err(_) => panic!("filters of 1x1 fit on everything"),
        }
    }
}

/// As [`Plan::placeholder`], for any number of layers; `None` if they are no graph.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[must_use]
pub fn placeholder(
    ops: &[Op],
    options: Options<'_>,
) -> Option<(alloc::vec::Vec<Step>, super::Totals)> {
    let mut small = ops.to_vec();
    shrink(&mut small);
    let mut steps = alloc::vec![Step::EMPTY; ops.len()];
    let mut readers = alloc::vec![Readers::NONE; ops.len()];
    let mut buffers = alloc::vec![[Buffer::EMPTY; 3]; ops.len()];
    let totals = super::fill(
        [1; 3],
        &small,
        &mut readers,
        &mut steps,
        &mut buffers,
        (Depth::One, options),
    )
    .ok()?;
    Some((steps, totals))
}

impl super::Failure {
    /// Whether that may be because a network inside, at or before the layer, was declared wrong.
    #[doc(hidden)]
    #[must_use]
    pub const fn follows(&self, ops: &[Op]) -> bool {
        let before = self.layer < ops.len();
        any_stands_in(if before {
            ops.split_at(self.layer + 1).0
        } else {
            ops
        })
    }
}

/// Whether one of these is a network that was declared wrong.
pub(super) const fn any_stands_in(ops: &[Op]) -> bool {
    let mut at = 0;
    while at < ops.len() {
        if let Op::Network { what } = ops[at]
            && what.nested.stands_in
        {
            return true;
        }
        at += 1;
    }
    false
}

/// Every filter becomes one of 1x1, every layer the only one.
const fn shrink(ops: &mut [Op]) {
    const ONE: Window = Window::square(1, 1, 0);
    let mut i = 0;
    while i < ops.len() {
        let op = &mut ops[i];
        if let Some(window) = op.window_mut() {
            *window = ONE;
        }
        if let Some(filters) = op.filters_mut() {
            *filters = 1;
        }
        if let Some(groups) = op.groups_mut() {
            *groups = 1;
        }
        if let Op::Slices { from, .. } = op {
            *from = 0;
        }
        if let Op::Normalize { mean, std } = op {
            (*mean, *std) = (Decimals::of([0.0]), Decimals::of([1.0]));
        }
        if let Op::Own { volume, .. } = op {
            *volume = [1; 3];
        }
        if let Op::Network { what } = op {
            what.nested = Nested::UNKNOWN;
        }
        i += 1;
    }
}
