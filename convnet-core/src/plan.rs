//! # The plan: every size, every figure and every byte of a network, before it exists
//!
//! `convnet!` calls [`place`] while it expands. Where a declaration names a size by a `const`, whose
//! value a macro cannot see, the generated program calls the same function in a constant instead:
//! one implementation, so the two cannot disagree.
//!
//! ```text
//! input, [Op] ──▶ place ──▶ [Step] and Totals, or the first Misfit
//! ```
//!
//! Axes are rows first: `[height, width]`, `[height, width, depth]`. Sizes of memory are in
//! scalars; a place is a multiple of [`LINE`](crate::overlay::LINE).

use crate::shape::Window;

/// One layer, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `conv(filters, window)`.
    Conv {
        /// K, how many filters.
        filters: usize,
        /// How they slide.
        window: Window,
    },
    /// `max_pool(window)`.
    MaxPool(Window),
    /// `avg_pool(window)`; padding is not counted in the average.
    AvgPool(Window),
    /// `global_avg_pool`.
    GlobalAvgPool,
    /// `fc(filters)`.
    Fc {
        /// K, how many class scores or hidden neurons.
        filters: usize,
    },
    /// An activation, in place; its backward needs its output.
    Activation,
    /// `dropout`: nothing at inference; in training in place, with a mask as large as its volume.
    Dropout,
    /// `flatten`: nothing at all.
    Flatten,
}

/// What the plan says of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The output: height, width, depth.
    pub volume: [usize; 3],
    /// Zero rows above and zero columns left of the input.
    pub before: [usize; 2],
    /// Rows and columns that no filter reads (`fit = crop`).
    pub lost: [usize; 2],
    /// Rows and columns of zeros that `fit = pad` adds below and right.
    pub added: [usize; 2],
    /// Learned scalars.
    pub parameters: usize,
    /// Multiply-adds of one forward pass.
    pub macs: usize,
    /// Receptive field on the image: height, width.
    pub field: [usize; 2],
    /// Where the output lies in the arena.
    pub arena: usize,
    /// Whether the output replaces the input there (else an activation must copy first).
    pub in_place: bool,
    /// Where the output lies in the tape.
    pub tape: usize,
    /// Whether the output replaces the input there.
    pub tape_in_place: bool,
    /// Where the gradient on the output lies in the tape.
    pub gradient: usize,
    /// Where a dropout's mask lies in the tape.
    pub mask: usize,
}

/// What the plan says of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Scalars of the arena.
    pub arena: usize,
    /// Scalars of the tape.
    pub tape: usize,
    /// Learned scalars.
    pub parameters: usize,
    /// Multiply-adds of one forward pass.
    pub macs: usize,
    /// The step at which the most memory of the arena is alive.
    pub peak: usize,
}

/// One line of a network's table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerInfo {
    /// The layer's name, `conv1`.
    pub name: &'static str,
    /// Its word, `conv`.
    pub word: &'static str,
    /// Its hyperparameters as one reads them: `12 of 5x5, pad 2`; empty if it has none.
    pub detail: &'static str,
    /// The output: height, width, depth.
    pub volume: [usize; 3],
    /// Receptive field on the image: height, width.
    pub field: [usize; 2],
    /// Learned scalars.
    pub parameters: usize,
    /// Multiply-adds of one forward pass.
    pub macs: usize,
}
