//! What a generated program asks of its own plan, where sizes are the names of constants.

use super::memory::Buffer;
use super::{Depth, Message, Op, Plan, Step};
use crate::shape::Window;

/// Which memory a budget is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// For the planned activations.
    Ram,
    /// For the parameters.
    Flash,
}

impl<const N: usize> Plan<N> {
    /// A plan of the same structure for one that does not fit: of 1x1 filters on one pixel. What
    /// reads it meets no second error.
    #[doc(hidden)]
    #[must_use]
    pub const fn resembling(ops: &[Op; N]) -> Self {
        let mut small = *ops;
        shrink(&mut small);
        let mut steps = [Step::EMPTY; N];
        let mut buffers = [[Buffer::EMPTY; 3]; N];
        match super::fill([1; 3], &small, &mut steps, &mut buffers, Depth::One) {
            Ok(totals) => Self {
                input: [1; 3],
                steps,
                totals,
            },
            Err(_) => panic!("filters of 1x1 fit on everything"),
        }
    }

    /// What is to be said if more than `limit` bytes of `memory` are needed in `f32`; `text` is
    /// the limit as it was written.
    #[doc(hidden)]
    #[must_use]
    pub const fn over(
        &self,
        names: &[&str; N],
        memory: Memory,
        text: &str,
        limit: u64,
    ) -> Option<Message> {
        let (what, key, scalars) = match memory {
            Memory::Ram => ("planned activations", "ram", self.totals.arena),
            Memory::Flash => ("parameters", "flash", self.totals.parameters),
        };
        let bytes = scalars * size_of::<f32>();
        let over = (bytes as u64).saturating_sub(limit);
        if over == 0 {
            return None;
        }
        let mut message = Message::new();
        message
            .push_str("the ")
            .push_str(what)
            .push_str(" take ")
            .push_number(bytes);
        message
            .push_str(" bytes, ")
            .push_number(over as usize)
            .push_str(" more than ");
        message.push_str(key).push_str(" = ").push_str(text);
        if let Memory::Ram = memory {
            message
                .push_str("\nthe peak is at ")
                .push_str(names[self.totals.peak]);
        }
        Some(message)
    }
}

/// As [`Plan::resembling`], for any number of layers; `None` if they are no graph.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[must_use]
pub fn resembling(ops: &[Op]) -> Option<(alloc::vec::Vec<Step>, super::Totals)> {
    let mut small = ops.to_vec();
    shrink(&mut small);
    let mut steps = alloc::vec![Step::EMPTY; ops.len()];
    let mut buffers = alloc::vec![[Buffer::EMPTY; 3]; ops.len()];
    let totals = super::fill([1; 3], &small, &mut steps, &mut buffers, Depth::One).ok()?;
    Some((steps, totals))
}

/// Every filter becomes one of 1x1, every layer the only one.
const fn shrink(ops: &mut [Op]) {
    const ONE: Window = Window::square(1, 1, 0);
    let mut i = 0;
    while i < ops.len() {
        ops[i] = match ops[i] {
            Op::Conv { .. } => Op::conv(1, ONE),
            Op::Depthwise { bias, .. } => Op::Depthwise { bias, window: ONE },
            Op::MaxPool(_) => Op::MaxPool(ONE),
            Op::AvgPool(_) => Op::AvgPool(ONE),
            Op::Fc { .. } => Op::Fc { filters: 1 },
            Op::Own { .. } => Op::Own { volume: [1; 3] },
            other => other,
        };
        i += 1;
    }
}
