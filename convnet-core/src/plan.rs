//! # The plan: every size, every figure and every byte of a network, before it exists
//!
//! `convnet!` calls [`place`] while it expands. Where a declaration names a size by a `const`, whose
//! value a macro cannot see, the generated program builds a [`Plan`] in a constant instead: one
//! implementation, so the two cannot disagree.
//!
//! ```text
//!  input, [Op] ──▶ figures ──▶ liveness ──▶ memory ──▶ [Step] and Totals
//!                     │        which volume  where each
//!                     ▼        lives when    one lies
//!                  Failure: the first layer that does not fit
//! ```
//!
//! Volumes are counted: 0 is the image, i + 1 is what layer i writes. A layer reads the volume
//! before it; three [`Op`]s name an earlier one, and so a list of them is a graph:
//!
//! ```text
//!  residual { conv, relu }    0 ──▶ Conv ──▶ 1 ──▶ Relu ──▶ 2 ──▶ Add { with: 0 } ──▶ 3
//!                             └──────────────────────────────────────────────┘
//! ```
//!
//! Axes are rows first: `[height, width]`, `[height, width, depth]`. Sizes of memory are in bytes,
//! each volume's by its [`ElementType`]; a place is a multiple of [`LINE`](crate::overlay::LINE). A
//! network that is generic over its scalar is planned in `f32`: in `f64` it takes twice as much.
//!
//! **Invariant:** volumes that are alive together do not overlap.

// No arm stands for whatever else there is: a new layer, a new place, is looked at everywhere.
#![deny(clippy::wildcard_enum_match_arm)]
// A misfit holds up to four volumes.
#![allow(
    clippy::result_large_err,
    reason = "a plan is refused once, and no allocator is there to box why; with 32 bits it is not large"
)]

use crate::graph::Elsewhere;
use crate::kernel::Sizes;
use crate::scalar::element::ElementType;
use crate::shape::{Misfit, Window, ok};
use block::Readers;
use memory::Buffer;

mod block;
mod budget;
mod deferred;
mod elements;
mod figures;
mod group;
mod large_fc;
#[cfg(feature = "alloc")]
mod lifetimes;
mod liveness;
mod memory;
mod message;
mod pass;
mod repair;
mod scratch;
mod trial;

pub use crate::graph::{Nested, Op};
pub use crate::text::Message;
pub(crate) use budget::exceeds;
pub use budget::{Account, Memory};
#[cfg(feature = "alloc")]
#[doc(hidden)]
pub use deferred::placeholder;
pub use elements::Elements;
#[doc(hidden)]
pub use elements::scalars;
pub use group::Group;
#[cfg(feature = "alloc")]
pub use lifetimes::{Holds, Lifetime};
#[cfg(feature = "alloc")]
pub(crate) use lifetimes::{Overlaid, lifetimes};
#[doc(hidden)]
pub use message::depth_first;

pub use pass::{Flow, How, Pass, Place, PreparedPass};
pub use repair::Repair;
pub use trial::Written;

/// What the plan says of one layer.
///
/// A backward pass of layer `i` finds x at `steps[i].tape.from` if [`Op::backward_reads_x`], y at
/// `steps[i].tape.to` if [`Op::backward_reads_y`], and the mask at `steps[i].mask`. What it does
/// not read may be overwritten by then. Volume `v` lies where `steps[v - 1]` put it, until the last
/// layer that names it has read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The output: height, width, depth.
    pub volume: [usize; 3],
    /// Of what the output is made.
    pub element: ElementType,
    /// Zero rows above and zero columns left of the input.
    pub before: [usize; 2],
    /// Rows and columns of the input that `fit = crop` cuts off; zeros of the padding that it cuts
    /// off are not counted.
    pub lost: [usize; 2],
    /// Rows and columns of zeros that `fit = pad` adds below and right.
    pub added: [usize; 2],
    /// The depth that one filter sees: of a `conv`, that of its group; of a `conv_transpose`, the depth that an input
    /// stamps.
    pub filter_depth: usize,
    /// Learned scalars.
    pub parameters: usize,
    /// Scalars that are stored and not learned: statistics, and biases that stay zero.
    pub fixed: usize,
    /// Bytes of what is learned and stored.
    pub flash: usize,
    /// Multiply-adds of one forward pass. (A `u64`: VGG-16 has more than 2³².)
    pub macs: u64,
    /// Receptive field on the image: height, width; after a block, the larger of its ways. Never
    /// more than the image.
    pub field: [usize; 2],
    /// Where the slice of a `Concat` begins in the depth.
    pub slice: usize,
    /// The group whose filters are this layer's.
    pub group: Option<Group>,
    /// The pool of the group, if it asks for rows of the output as it needs them: it is computed with this
    /// layer, and then the clamps in between of what it leaves.
    pub row_pool: Option<usize>,
    /// How many rows of the output there are at a time in the arena: all, or those that such a pool sees.
    pub rows: usize,
    /// Bytes that a `conv` of an int8 network works in, in the arena.
    pub work: usize,
    /// `forward`, in the arena.
    pub arena: Pass,
    /// `forward_packed`, in the arena of a prepared network.
    pub prepared: PreparedPass,
    /// `forward_train`, in the tape.
    pub tape: Pass,
    /// Where the arena of a [`Network`](Op::Network) lies in this one, or what a `conv` works in.
    pub scratch: usize,
    /// Where a dropout's mask lies in the tape, as large as `volume`; or the
    /// [`Moments`](crate::moments::Moments) of a `batch_norm`; or the tape of a
    /// [`Network`](Op::Network).
    pub mask: usize,
    /// `backward`, in the tape: to the gradient on the input.
    pub backward: Flow,
    /// `backward` of an `Add`, in the tape and before the other: to the gradient on the volume
    /// that it names. A copy; or nothing but a sum.
    pub shortcut: Flow,
    /// Image pixels between two neighbours of the output: down, across.
    pub jump: [usize; 2],
    /// Whether the output depends on parameters.
    learned: bool,
}

/// How a network is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// Of what its volumes are made.
    pub elements: Elements<'a>,
    /// Whether a `max_pool` asks for the rows of the `conv` before it as it needs them, at inference and where
    /// only clamps stand between them: `#[row_by_row]`. (A prepared network does so where that is fast.)
    pub row_by_row: bool,
    /// Whether filters are bytes: a `max_pool` asks for rows behind a norm too, and a `conv` has memory to work in.
    pub int8: bool,
}

impl Options<'_> {
    /// `f32`, and whole maps.
    pub const DEFAULT: Self = Self {
        elements: Elements::F32,
        row_by_row: false,
        int8: false,
    };
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What the plan says of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Bytes of the arena.
    pub arena: usize,
    /// Bytes of a prepared network's arena.
    pub prepared: usize,
    /// Bytes of the tape, and of what a layer works in while it is trained, behind them.
    pub tape: usize,
    /// How many of those are for the layers to work in, one at a time.
    pub tape_scratch: usize,
    /// Learned scalars.
    pub parameters: usize,
    /// Scalars that are stored and not learned.
    pub fixed: usize,
    /// Bytes of what is learned and stored.
    pub flash: usize,
    /// Multiply-adds of one forward pass.
    pub macs: u64,
    /// The step at which the most memory of the arena is alive: its input and its output.
    pub peak: usize,
}

/// The first layer that cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which layer.
    pub layer: usize,
    /// What it was to read: height, width, depth.
    pub input: [usize; 3],
    /// What is wrong.
    pub misfit: Misfit,
}

/// The plan of a network of `N` layers, for a constant.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::Op;
/// use convnet::plan::Plan;
/// use convnet::shape::Window;
///
/// // CS231n's example network for CIFAR-10.
/// const CIFAR: Plan<4> = match Plan::new(
///     [32, 32, 3],
///     &[
///         Op::conv(12, Window::square(5, 1, 2)),
///         Op::Relu,
///         Op::MaxPool { window: Window::square(2, 2, 0) },
///         Op::fc(10),
///     ],
/// ) {
///     Ok(plan) => plan,
///     Err(_) => panic!(),
/// };
/// assert_eq!(CIFAR.steps[2].volume, [16, 16, 12]);
/// assert_eq!(CIFAR.totals.parameters, 31_642);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<const N: usize> {
    /// The image: height, width, depth.
    pub input: [usize; 3],
    /// Layer by layer.
    pub steps: [Step; N],
    /// The whole.
    pub totals: Totals,
}

impl<const N: usize> Plan<N> {
    /// Plans `ops` on an `input` of `[height, width, depth]`.
    ///
    /// # Errors
    ///
    /// The first layer that cannot be placed, and why.
    pub const fn new(input: [usize; 3], ops: &[Op; N]) -> Result<Self, Failure> {
        Self::of(input, ops, Options::DEFAULT)
    }

    /// The same for volumes of other elements than `f32`, or row by row.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::ElementType::{F32, I8};
    /// use convnet::graph::Op;
    /// use convnet::plan::{Elements, Options, Plan};
    /// use convnet::shape::Window;
    ///
    /// let ops = [Op::conv(16, Window::square(3, 1, 1)), Op::Relu, Op::fc(10)];
    /// // The scores of a network of `i8` may be `f32`.
    /// let elements = Elements::Each { image: I8, written: &[I8, I8, F32] };
    /// let options = Options { elements, ..Options::DEFAULT };
    /// let plan = Plan::of([8, 8, 4], &ops, options).expect("it fits");
    /// assert_eq!(plan.totals.arena, 8 * 8 * 16 + 64);
    /// ```
    ///
    /// # Errors
    ///
    /// The first layer that cannot be placed, and why; one that works in place and is to change the
    /// element is [`Misfit::Elements`].
    pub const fn of(
        input: [usize; 3],
        ops: &[Op; N],
        options: Options<'_>,
    ) -> Result<Self, Failure> {
        let mut steps = [Step::EMPTY; N];
        let (mut readers, mut buffers) = ([Readers::NONE; N], [[Buffer::EMPTY; 3]; N]);
        let totals = ok!(fill(
            input,
            ops,
            &mut readers,
            &mut steps,
            &mut buffers,
            (Depth::Sum, options)
        ));
        Ok(Self {
            input,
            steps,
            totals,
        })
    }
}

/// Plans `ops` on an `input` of `[height, width, depth]`: as [`Plan::new`], for any number of them.
///
/// # Errors
///
/// The first layer that cannot be placed, and why.
#[cfg(feature = "alloc")]
pub fn place(input: [usize; 3], ops: &[Op]) -> Result<(alloc::vec::Vec<Step>, Totals), Failure> {
    place_of(input, ops, Options::DEFAULT)
}

/// As [`place`], for volumes of other elements than `f32`, or row by row.
///
/// # Errors
///
/// The first layer that cannot be placed, and why.
#[cfg(feature = "alloc")]
pub fn place_of(
    input: [usize; 3],
    ops: &[Op],
    options: Options<'_>,
) -> Result<(alloc::vec::Vec<Step>, Totals), Failure> {
    place_or(input, &mut ops.to_vec(), options, |_, _| None)
}

/// As [`place_of`], but what cannot be placed becomes what `other` says, and the layers before it are not
/// placed anew.
///
/// # Errors
///
/// The first layer that cannot be placed and for which there is no other.
#[cfg(feature = "alloc")]
#[doc(hidden)]
pub fn place_or(
    input: [usize; 3],
    ops: &mut [Op],
    options: Options<'_>,
    mut other: impl FnMut(&Failure, &[Op]) -> Option<Op>,
) -> Result<(alloc::vec::Vec<Step>, Totals), Failure> {
    let mut readers = alloc::vec![Readers::NONE; ops.len()];
    Readers::find(ops, &mut readers);
    let mut steps = alloc::vec![Step::EMPTY; ops.len()];
    let (mut totals, mut layer) = (Totals::NONE, 0);
    loop {
        let rest = (layer, &mut totals);
        let how = (Depth::Sum, options.elements);
        let failure = match figures::resume(input, ops, &readers, &mut steps, how, rest) {
            Err(failure) => {
                layer = failure.layer;
                failure
            }
            Ok(()) => {
                let mut buffers = alloc::vec![[Buffer::EMPTY; 3]; ops.len()];
                match lay(
                    (input, options),
                    ops,
                    &readers,
                    &mut steps,
                    &mut buffers,
                    totals,
                ) {
                    Ok(totals) => return Ok((steps, totals)),
                    Err(failure) => {
                        (totals, layer) = (Totals::NONE, 0);
                        steps.fill(Step::EMPTY);
                        failure
                    }
                }
            }
        };
        match other(&failure, ops) {
            Some(op) => ops[failure.layer] = op,
            None => return Err(failure),
        }
    }
}

/// One line of a network's table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerInfo<'a> {
    /// The layer's name, `conv1`.
    pub name: &'a str,
    /// What it does, with every hyperparameter.
    pub op: &'a Op<usize, Window, f64, Elsewhere<'a>>,
    /// The output: height, width, depth.
    pub volume: [usize; 3],
    /// Rows and columns of the input that `fit = crop` cuts off.
    pub lost: [usize; 2],
    /// Rows and columns of zeros that `fit = pad` adds.
    pub added: [usize; 2],
    /// Receptive field on the image: height, width.
    pub field: [usize; 2],
    /// Image pixels between two neighbours of the output: down, across.
    pub jump: [usize; 2],
    /// Learned scalars.
    pub parameters: usize,
    /// Scalars that are stored and not learned: statistics, and biases that stay zero.
    pub fixed: usize,
    /// Multiply-adds of one forward pass.
    pub macs: u64,
}

impl<'a> LayerInfo<'a> {
    /// The line of a layer for which that was planned.
    #[must_use]
    pub const fn new(
        name: &'a str,
        op: &'a Op<usize, Window, f64, Elsewhere<'a>>,
        step: &Step,
    ) -> Self {
        Self {
            name,
            op,
            volume: step.volume,
            lost: step.lost,
            added: step.added,
            field: step.field,
            jump: step.jump,
            parameters: step.parameters,
            fixed: step.fixed,
            macs: step.macs,
        }
    }

    /// Its word, `conv`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.op.word().name
    }
}

/// The largest volume, and the most parameters: 8 bytes each stay below `isize::MAX`, rounding included. 32
/// bits have less to spare, but for VGG.
const MOST_SCALARS: usize = match usize::BITS > 32 {
    true => usize::MAX / 64,
    false => usize::MAX / 20,
};

/// The largest memory that is planned: twice as much, in `f64`, stays below `isize::MAX`.
const MOST_BYTES: usize = match usize::BITS > 32 {
    true => usize::MAX / 16,
    false => usize::MAX / 8,
};

impl Step {
    /// As much of the output as there is at a time at inference.
    const fn present(&self) -> [usize; 3] {
        let [_, width, depth] = self.volume;
        [self.rows, width, depth]
    }

    /// How many bytes that takes.
    const fn present_bytes(&self) -> usize {
        elements::bytes(self.present(), self.element)
    }

    /// How many bytes the output takes.
    const fn bytes(&self) -> usize {
        elements::bytes(self.volume, self.element)
    }

    const EMPTY: Self = {
        let pass = Pass {
            from: Place::Input,
            to: Place::Input,
            how: How::Skip,
        };
        Self {
            volume: [0; 3],
            element: ElementType::F32,
            before: [0; 2],
            lost: [0; 2],
            added: [0; 2],
            filter_depth: 0,
            parameters: 0,
            fixed: 0,
            flash: 0,
            macs: 0,
            field: [0; 2],
            group: None,
            row_pool: None,
            work: 0,
            rows: 0,
            arena: pass,
            prepared: PreparedPass {
                pass,
                rows: 0,
                x_rows: 0,
                adds: None,
                scratch: 0,
            },
            tape: pass,
            slice: 0,
            scratch: 0,
            mask: 0,
            backward: Flow::NONE,
            shortcut: Flow::NONE,
            jump: [1; 2],
            learned: false,
        }
    };
}

/// How deep a concatenation is.
#[derive(Clone, Copy)]
enum Depth {
    /// As deep as its slices together.
    Sum,
    /// As deep as one of them: of a network where every volume is one scalar.
    One,
}

/// The stages. The slices are as long as `ops`.
const fn fill(
    input: [usize; 3],
    ops: &[Op],
    readers: &mut [Readers],
    steps: &mut [Step],
    buffers: &mut [[Buffer; 3]],
    (depth, options): (Depth, Options<'_>),
) -> Result<Totals, Failure> {
    Readers::find(ops, readers);
    let how = (depth, options.elements);
    let totals = ok!(figures::fill(input, ops, readers, steps, how));
    lay((input, options), ops, readers, steps, buffers, totals)
}

/// The last two stages.
const fn lay(
    (input, options): ([usize; 3], Options<'_>),
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    buffers: &mut [[Buffer; 3]],
    mut totals: Totals,
) -> Result<Totals, Failure> {
    if ops.is_empty() {
        return Ok(totals);
    }
    group::find(options, input, ops, readers, steps);
    liveness::arena(ops, readers, steps, buffers);
    totals.peak = memory::peak(buffers.as_flattened_mut(), ops.len());
    let arena = memory::assign(buffers.as_flattened_mut());
    liveness::settle_arena(steps, buffers);

    liveness::prepared(ops, readers, steps, buffers);
    let prepared = memory::assign(buffers.as_flattened_mut());
    liveness::settle_prepared(steps, buffers);

    liveness::tape(options.elements.image(input), ops, readers, steps, buffers);
    let tape = memory::assign(buffers.as_flattened_mut());
    liveness::settle_tape(steps, buffers);

    let what = match (arena, prepared, tape) {
        (Some(arena), Some(prepared), Some(tape)) => {
            totals.tape_scratch = scratch::most(input, ops, steps);
            (totals.arena, totals.prepared) = (arena, prepared);
            totals.tape = tape + totals.tape_scratch;
            return Ok(totals);
        }
        (Some(_), Some(_), None) => "tape",
        _ => "arena",
    };
    let layer = totals.peak;
    Err(Failure {
        layer,
        input: volume(input, steps, layer),
        misfit: Misfit::TooLarge(what),
    })
}

/// The sizes of layer `i`, whose window slides over the volume before it.
const fn sizes(input: [usize; 3], steps: &[Step], i: usize, window: Window) -> Sizes {
    let x = volume(input, steps, i);
    Sizes {
        x,
        filter: window.size,
        stride: window.stride,
        dilation: window.dilation,
        groups: match steps[i].filter_depth {
            0 => 1,
            depth => x[2] / depth,
        },
        before: steps[i].before,
        y: steps[i].volume,
    }
}

/// The size of volume `v`.
const fn volume(input: [usize; 3], steps: &[Step], v: usize) -> [usize; 3] {
    if v == 0 { input } else { steps[v - 1].volume }
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "they say it their own way")]
mod tests;
