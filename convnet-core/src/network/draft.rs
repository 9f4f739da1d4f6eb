//! # Draft: a network that is planned while a program runs
//!
//! ```text
//!  Draft: names and ops ──▶ plan ──▶ Planned: sizes, figures, places; the table, the graph
//!                             │
//!                             ▼
//!                           Unfit: what is wrong, and what would fit
//! ```
//!
//! `convnet!` plans a declaration when it is compiled. What has no declaration, such as a file of
//! another library or a line that somebody types, is planned here, by the same functions and with the
//! same messages. Nothing here computes an activation.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt::{self, Display, Formatter};

use super::summary::Summary;
use crate::graph::Node;
use crate::plan::{
    self, Account, Failure, LayerInfo, Lifetime, Memory, Op, Options, Overlaid, Step, Totals,
    Written,
};
use crate::text::Message;

/// The layers of a network, with their names, in the order in which they are computed.
///
/// Each reads the volume before it. [Volumes are counted](crate::graph): 0 is the image, and
/// [`push`](Self::push) says which one a layer writes; by these numbers the ops of blocks name an
/// earlier one.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::Op;
/// use convnet::network::Draft;
/// use convnet::shape::Window;
///
/// let mut draft = Draft::new("Small", [32, 32, 3]);
/// let conv = draft.push("conv1", "conv(12, 5x5, pad = 2)".parse()?);
/// draft.push("relu1", Op::Relu);
/// draft.push("residual1", Op::Add { with: conv, input: conv });
/// draft.push("pool1", Op::MaxPool { window: Window::square(2, 2, 0) });
/// draft.push("scores", Op::fc(10));
///
/// let planned = draft.plan()?;
/// assert_eq!(planned.totals().parameters, 31_642);
/// assert_eq!(planned.steps()[3].volume, [16, 16, 12]);
/// assert!(planned.to_string().contains("conv1      conv 12 of 5x5, pad 2"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// What does not fit is answered as `convnet!` would:
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::Op;
/// use convnet::network::Draft;
/// use convnet::shape::Window;
///
/// let mut draft = Draft::new("AlexNet", [224, 224, 3]);
/// draft.push("conv1", Op::conv(96, Window::square(11, 4, 0)));
/// let unfit = draft.plan().unwrap_err();
/// assert_eq!(
///     unfit.to_string(),
///     "conv1 does not fit: (W − F + 2P)/S + 1 = (224 − 11 + 2·0)/4 + 1 = 54.25 is not an integer
/// an input of 223 or 227, or a filter of 8 or 12, or a stride of 1 or 3, or pad = (1, 2), would fit
/// fit = crop would drop the last column and row"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    name: String,
    input: [usize; 3],
    names: Vec<String>,
    ops: Vec<Op>,
    row_by_row: bool,
}

/// A draft that fits: every size, every figure, and where each volume lies. [`Display`] is its table.
#[derive(Clone, Debug)]
pub struct Planned<'a> {
    draft: &'a Draft,
    steps: Vec<Step>,
    totals: Totals,
    layers: Vec<LayerInfo<'a>>,
}

/// The first layer of a draft that does not fit. [`Display`] says what is wrong, in numbers, and what
/// would fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfit {
    /// The layer's name.
    pub name: String,
    failure: Box<Failure>,
    message: String,
}

impl Draft {
    /// A network without layers, on an `input` of `[height, width, depth]`.
    #[must_use]
    pub fn new(name: impl Into<String>, input: [usize; 3]) -> Self {
        Self {
            name: name.into(),
            input,
            names: Vec::new(),
            ops: Vec::new(),
            row_by_row: false,
        }
    }

    /// The layers of a [graph](crate::Network::GRAPH), to be planned again or to be changed.
    #[must_use]
    pub fn of(name: impl Into<String>, input: [usize; 3], graph: &[Node<'static>]) -> Self {
        Self {
            name: name.into(),
            input,
            names: graph.iter().map(|node| node.name.into()).collect(),
            ops: graph.iter().map(|node| node.op).collect(),
            row_by_row: false,
        }
    }

    /// Whether pools ask for rows as they need them: see
    /// [`Network::ROW_BY_ROW`](crate::Network::ROW_BY_ROW).
    #[must_use]
    pub fn row_by_row(self, row_by_row: bool) -> Self {
        Self { row_by_row, ..self }
    }

    /// Adds a layer, and says which volume it writes.
    pub fn push(&mut self, name: impl Into<String>, op: Op) -> usize {
        self.names.push(name.into());
        self.ops.push(op);
        self.ops.len()
    }

    /// The layers, in order.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Height, width, depth of the image.
    #[must_use]
    pub const fn input(&self) -> [usize; 3] {
        self.input
    }

    /// The layers with their names, and the volumes that the steps of a plan give them.
    pub(crate) fn nodes<'a, 's>(
        &'a self,
        steps: &'s [Step],
    ) -> impl Iterator<Item = Node<'a>> + use<'a, 's> {
        let nodes = self.names.iter().zip(&self.ops).zip(steps);
        nodes.map(|((name, op), step)| Node {
            name,
            op: *op,
            volume: step.volume,
        })
    }

    fn options(&self) -> Options<'static> {
        Options {
            row_by_row: self.row_by_row,
            ..Options::DEFAULT
        }
    }

    /// Every size, figure and place, in `f32`.
    ///
    /// # Errors
    ///
    /// [`Unfit`]: the first layer that does not fit, or that names a volume which is not there.
    pub fn plan(&self) -> Result<Planned<'_>, Unfit> {
        match plan::place_of(self.input, &self.ops, self.options()) {
            Ok((steps, totals)) => {
                let layers = self.names.iter().zip(&self.ops).zip(&steps);
                let shown = layers.filter(|((_, op), _)| op.is_shown());
                let lines = shown.map(|((name, op), step)| LayerInfo::new(name, op, step));
                Ok(Planned {
                    draft: self,
                    layers: lines.collect(),
                    steps,
                    totals,
                })
            }
            Err(failure) => {
                let name = self.names.get(failure.layer).cloned().unwrap_or_default();
                let written = Written::default();
                let message = failure.message_of(&name, self.input, &self.ops, &written);
                let message = message.as_str().into();
                Err(Unfit {
                    name,
                    failure: Box::new(failure),
                    message,
                })
            }
        }
    }
}

impl<'a> Planned<'a> {
    /// What was planned for each layer.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What was planned for the whole.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The layers with their names and volumes, as [`Network::GRAPH`](crate::Network::GRAPH) lists them.
    pub fn graph(&self) -> impl Iterator<Item = Node<'a>> {
        self.draft.nodes(&self.steps)
    }

    /// The buffers of the arena: which lies where, from when until when.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::network::Draft;
    /// use convnet::plan::Holds;
    ///
    /// let mut draft = Draft::new("Small", [8, 8, 1]);
    /// draft.push("conv1", "conv(4, 3x3, pad = 1)".parse()?);
    /// draft.push("relu1", "relu".parse()?);
    /// draft.push("scores", "fc(10)".parse()?);
    /// let planned = draft.plan()?;
    /// let [conv1, scores] = planned.arena_lifetimes()[..] else { panic!() };
    /// // `relu` works in place; `fc`, at moment 2, still reads it, and writes beside it.
    /// assert_eq!((conv1.layer, conv1.holds, conv1.bytes), (0, Holds::Output, 1024));
    /// assert_eq!((conv1.from, conv1.until), (0, 2));
    /// assert_eq!((scores.layer, scores.from), (2, 2));
    /// assert!(conv1.at + conv1.bytes <= scores.at || scores.at + scores.bytes <= conv1.at);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn arena_lifetimes(&self) -> Vec<Lifetime> {
        self.lifetimes(Overlaid::Arena)
    }

    /// The buffers of the tape. Behind them lies what layers work in for one call.
    #[must_use]
    pub fn tape_lifetimes(&self) -> Vec<Lifetime> {
        self.lifetimes(Overlaid::Tape)
    }

    fn lifetimes(&self, of: Overlaid) -> Vec<Lifetime> {
        let Draft { input, ops, .. } = self.draft;
        // What was planned once can be planned again.
        plan::lifetimes(*input, ops, self.draft.options(), of).unwrap_or_default()
    }

    /// The table.
    #[must_use]
    pub fn summary(&self) -> Summary<'_> {
        Summary {
            name: &self.draft.name,
            input: self.draft.input,
            layers: &self.layers,
            arena_bytes: self.totals.arena,
            tape_bytes: self.totals.tape,
            // The algorithms are known to types.
            packing: &[],
            prepared_bytes: self.totals.prepared,
        }
    }

    /// What `#[budget(…)]` would say if more than `limit` bytes of `memory` are needed; `text` is the
    /// limit as it was written.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::graph::Op;
    /// use convnet::network::Draft;
    /// use convnet::plan::Memory;
    ///
    /// let mut draft = Draft::new("Linear", [8, 8, 1]);
    /// draft.push("scores", Op::fc(10));
    /// let planned = draft.plan()?;
    /// assert!(planned.over(Memory::Flash, "4 KiB", 4 << 10).is_none());
    /// let over = planned.over(Memory::Flash, "2 KiB", 2 << 10).unwrap();
    /// assert!(over.as_str().starts_with("the parameters take 2600 bytes, 552 more than flash = 2 KiB"));
    /// # Ok::<(), convnet_core::network::Unfit>(())
    /// ```
    #[must_use]
    pub fn over(&self, memory: Memory, text: &str, limit: u64) -> Option<Message> {
        let names: Vec<&str> = self.draft.names.iter().map(String::as_str).collect();
        let account = Account {
            input: self.draft.input,
            ops: &self.draft.ops,
            names: &names,
            steps: &self.steps,
            totals: self.totals,
        };
        account.over(memory, text, limit)
    }
}

impl Display for Planned<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

impl Unfit {
    /// What is wrong with it.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl Display for Unfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl Error for Unfit {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.failure)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::shape::{Misfit, Window};

    #[test]
    fn a_draft_may_be_empty_or_name_what_is_not_there() {
        let draft = Draft::new("Nothing", [8, 8, 3]);
        let planned = draft.plan().expect("nothing fits");
        assert_eq!((planned.graph().count(), planned.totals().macs), (0, 0));
        assert!(planned.to_string().starts_with("Nothing\n"));

        let mut draft = Draft::new("Ahead", [8, 8, 3]);
        draft.push("sum", Op::Add { with: 7, input: 0 });
        let unfit = draft.plan().expect_err("there is no volume 7");
        assert_eq!(unfit.failure().misfit, Misfit::Unlinked);
        assert!(unfit.to_string().starts_with("sum does not fit"));
        assert!(unfit.source().is_some());
    }

    #[test]
    fn no_two_buffers_meet_and_each_lies_inside() {
        let mut draft = Draft::new("Blocks", [12, 12, 3]);
        let conv = draft.push("conv1", Op::conv(8, Window::square(3, 1, 1)));
        draft.push("norm", Op::BATCH_NORM);
        draft.push("relu1", Op::Relu);
        draft.push("conv2", Op::conv(8, Window::square(3, 1, 1)));
        draft.push(
            "sum",
            Op::Add {
                with: conv,
                input: conv,
            },
        );
        draft.push("drop", Op::Dropout { rate: 0.5 });
        draft.push(
            "pool",
            Op::MaxPool {
                window: Window::square(2, 2, 0),
            },
        );
        draft.push("scores", Op::fc(10));
        let planned = draft.plan().expect("it fits");
        let totals = planned.totals();
        let memories = [
            (planned.arena_lifetimes(), totals.arena, draft.ops().len()),
            (
                planned.tape_lifetimes(),
                totals.volumes(),
                2 * draft.ops().len(),
            ),
        ];
        for (buffers, bytes, last) in memories {
            assert_eq!(buffers.iter().map(|it| it.at + it.bytes).max(), Some(bytes));
            for (at, a) in buffers.iter().enumerate() {
                assert!(a.from <= a.until && a.until <= last, "{a:?}");
                for b in &buffers[at + 1..] {
                    let together = a.from <= b.until && b.from <= a.until;
                    let apart = a.at + a.bytes <= b.at || b.at + b.bytes <= a.at;
                    assert!(!together || apart, "{a:?} meets {b:?}");
                }
            }
        }
        for it in planned.arena_lifetimes() {
            let to = planned.steps()[it.layer].arena.to;
            assert_eq!(to, crate::plan::Place::At(it.at));
        }
    }

    #[test]
    fn a_graph_is_planned_as_it_was() {
        let mut draft = Draft::new("Pooled", [9, 12, 3]);
        draft.push("conv1", Op::conv(4, Window::square(3, 1, 1)));
        let at = draft.push("relu1", Op::Relu);
        let way = draft.push("way", Op::Branch { from: 0 });
        draft.push("conv2", Op::conv(4, Window::square(1, 1, 0)));
        draft.push("sum", Op::Add { with: at, input: 0 });
        assert_eq!((at, way, draft.ops().len()), (2, 3, 5));
        let planned = draft.plan().expect("it fits");
        let volumes: Vec<_> = planned.graph().map(|node| node.volume).collect();
        assert_eq!(volumes[2..], [[9, 12, 3], [9, 12, 4], [9, 12, 4]]);
        // Where a way begins is no line.
        let names: Vec<_> = planned.summary().layers.iter().map(|it| it.name).collect();
        assert_eq!(names, ["conv1", "relu1", "conv2", "sum"]);
    }
}
