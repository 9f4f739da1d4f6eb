//! What an int8 network does, layer by layer, with every place: made by the compiler, from the graph.

#![allow(
    clippy::result_large_err,
    reason = "the compiler alone runs this, where nothing is returned through a stack; with 32 bits it is not large"
)]

use crate::ElementType;
use crate::graph::{Node, Op, Sees};
use crate::kernel::i8::{Channel, Layout, PAIRS, Steps};
use crate::kernel::{Clamp, Sizes};
use crate::plan::{Account, Elements, How, Memory, Options, Place, Plan, Step, exceeds};
use crate::shape::Window;
use crate::text::Message;

/// How a task is computed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A `conv`, or an `fc`, with what follows it.
    Conv,
    /// The same with filters in pairs, laid out for one window,
    Dense,
    /// for four windows side by side,
    Tiles,
    /// for windows in widened rows of the image.
    Rows,
    /// A `depthwise`.
    Depthwise,
    /// A `batch_norm` that follows no filters: a factor and a bias a depth.
    Scale,
    /// The largest of windows.
    MaxPool,
    /// The average of windows.
    AvgPool,
    /// The mean of all pixels, in other steps.
    Mean,
    /// The same numbers, in other steps; or, of a branch of a `concat`, in its slice.
    Rescale,
    /// An activation by table.
    Table,
    /// Depth columns become probabilities.
    Softmax,
    /// Two volumes become their sum.
    Add,
    /// A volume times another, or times a number for each depth slice.
    Product,
    /// The same numbers in other places: an `upsample`, a `channel_shuffle`, a `depth_to_space`.
    Move,
    /// Nothing but a copy.
    Copy,
}

/// How many there are.
pub(super) const KINDS: usize = Kind::Copy as usize + 1;

/// What is to be computed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Which layer of the graph.
    pub node: usize,
    /// How.
    pub kind: Kind,
    /// What is read and what is written, and how a window slides over it.
    pub sizes: Sizes,
    /// How the windows of a `max_pool` slide over what is computed, which takes its rows as they come.
    pub pool: Option<Sizes>,
    /// The first byte of the rows that there are for the pool, and one past the last.
    pub map: [usize; 2],
    /// The same of what a `conv` works in.
    pub work: [usize; 2],
    /// Whether x is copied to y, to be worked on there.
    pub copies: bool,
    /// The byte of the arena at which x lies; or it is the image.
    pub x: Option<usize>,
    /// Where the other volume of an `Add` or a `Product` lies; or it is the image.
    pub with: Option<usize>,
    /// Where y lies.
    pub y: usize,
    /// The depth at which a slice begins.
    pub slice: usize,
    /// Which quantizations x, the other volume and y have.
    pub volumes: [usize; 3],
    /// The first of its filters, or of its table, and one past the last.
    pub filters: [usize; 2],
    /// The same of its channels.
    pub channels: [usize; 2],
}

/// What has a quantization: one volume, or several that are one for the bytes in them, as those before and
/// behind a pool.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The volume whose numbers are to be covered.
    pub observed: usize,
    /// What its bytes are clamped by.
    pub clamp: Clamp,
    /// The scale and the zero point, where they are no matter of what is observed.
    pub fixed: Option<Fixed>,
}

/// What everything between 0 and 1, or between −1 and 1, has.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// 0 to 255 of 256.
    Unit,
    /// −128 to 127 of 128.
    Signed,
}

/// The tasks of a network.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// In order.
    pub tasks: &'a [Task],
    /// What has a quantization: first the image.
    pub ranges: &'a [Range],
    /// Which of them the scores have.
    pub scores: usize,
}

/// A program of at most `N` tasks, in a `static`. `int8!` writes it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Planned<const N: usize> {
    tasks: [Task; N],
    ranges: [Range; N],
    /// How much of all there is.
    pub counts: Counts,
    /// Bytes of the arena.
    pub arena: usize,
}

/// What a program needs.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// How many tasks there are.
    pub(super) tasks: usize,
    /// How many quantizations.
    pub volumes: usize,
    /// Bytes of filters and tables.
    pub filters: usize,
    /// How many channels there are.
    pub channels: usize,
    /// Where the scores lie.
    pub output: usize,
    /// Which quantization they have.
    scores: usize,
}

/// Where a program is written: a place a layer in each.
pub(super) struct Room<'a> {
    pub(super) tasks: &'a mut [Task],
    pub(super) ranges: &'a mut [Range],
    /// The quantization of what each layer writes.
    pub(super) of: &'a mut [usize],
    /// Whether a clamp behind it may be its own.
    pub(super) clampable: &'a mut [bool],
}

impl<const N: usize> Planned<N> {
    /// Of an `input` and a [graph](crate::Network::GRAPH) of `N` layers.
    ///
    /// # Errors
    ///
    /// The first layer that has no int8 form, or a graph that cannot be planned.
    pub const fn new(input: [usize; 3], graph: &[Node<'static>]) -> Result<Self, Message> {
        let (ops, _) = parts::<N>(graph);
        let plan = match Plan::of(input, &ops, OPTIONS) {
            Ok(plan) if N > 0 => plan,
            Ok(_) | Err(_) => return Err(unplanned()),
        };
        let (mut tasks, mut ranges) = ([Task::NONE; N], [Range::NONE; N]);
        let room = Room {
            tasks: &mut tasks,
            ranges: &mut ranges,
            of: &mut [0; N],
            clampable: &mut [false; N],
        };
        match write(input, graph, &ops, &plan.steps, room) {
            Ok(counts) => Ok(Self {
                tasks,
                ranges,
                counts,
                arena: plan.totals.arena,
            }),
            Err(message) => Err(message),
        }
    }

    /// What is to be said if more than a limit of a budget, `limit` bytes, written as `text`, is needed; the
    /// parameters take so many `bytes`.
    #[must_use]
    pub const fn over(
        &self,
        input: [usize; 3],
        graph: &[Node<'static>],
        bytes: usize,
        (memory, limit, text): (Memory, u64, &str),
    ) -> Option<Message> {
        match memory {
            Memory::Ram => {
                let (ops, names) = parts::<N>(graph);
                let Ok(plan) = Plan::of(input, &ops, OPTIONS) else {
                    return None;
                };
                let account = Account {
                    input,
                    ops: &ops,
                    names: &names,
                    steps: &plan.steps,
                    totals: plan.totals,
                };
                account.over(memory, text, limit)
            }
            Memory::Flash => {
                let Some(mut message) = exceeds(memory, bytes, text, limit) else {
                    return None;
                };
                let (mut largest, mut at) = (0, 0);
                while at < self.counts.tasks {
                    if self.tasks[at].bytes() > self.tasks[largest].bytes() {
                        largest = at;
                    }
                    at += 1;
                }
                message
                    .push_str("\nthe largest is ")
                    .push_str(graph[self.tasks[largest].node].name)
                    .push_str(": ")
                    .push_number(self.tasks[largest].bytes())
                    .push_str(" bytes");
                Some(message)
            }
        }
    }

    /// Its tasks, and what has a quantization.
    #[must_use]
    pub const fn program(&self) -> Program<'_> {
        Program {
            tasks: self.tasks.split_at(self.counts.tasks).0,
            ranges: self.ranges.split_at(self.counts.volumes - 1).0,
            scores: self.counts.scores,
        }
    }
}

/// Writes the tasks of a graph whose layers were placed so; all that is there is empty.
pub(super) const fn write(
    input: [usize; 3],
    graph: &[Node<'_>],
    ops: &[Op],
    steps: &[Step],
    room: Room<'_>,
) -> Result<Counts, Message> {
    let Room {
        tasks,
        ranges,
        of,
        clampable,
    } = room;
    let mut all = Counts {
        tasks: 0,
        volumes: 1,
        filters: 0,
        channels: 0,
        output: 0,
        scores: 0,
    };
    let mut i = 0;
    while i < ops.len() {
        let (op, step) = (ops[i], &steps[i]);
        let (from, _) = op.reads(i);
        let x = match from {
            0 => 0,
            v => of[v - 1],
        };
        let apart = matches!(step.arena.how, How::Copy | How::Apart);
        let own = from == i && is_alone(ops, i);
        let folds = i > 0 && own && clampable[i - 1] && !apart;
        (of[i], clampable[i]) = (x, false);
        let sizes = sizes_of(input, steps, i, &op);
        let (mut clamp, mut fixed) = (Clamp::None, None);
        let pooled = match step.row_pool {
            Some(pool) => Some(sizes_of(input, steps, pool, &ops[pool])),
            None => None,
        };
        let kind = match op {
            Op::Conv { .. } | Op::Fc { .. } => Some(Kind::of_conv(&sizes, pooled.as_ref(), i == 0)),
            Op::Depthwise { .. } => Some(Kind::Depthwise),
            Op::BatchNorm { .. } if is_folded(steps, i) => None,
            Op::BatchNorm { .. } => Some(Kind::Scale),
            Op::Relu => {
                clamp = Clamp::Relu;
                if folds { None } else { Some(Kind::Rescale) }
            }
            Op::Relu6 => {
                clamp = Clamp::Relu6;
                if folds { None } else { Some(Kind::Rescale) }
            }
            Op::Concat { .. } => Some(Kind::Rescale),
            Op::LeakyRelu { .. }
            | Op::HardSwish
            | Op::Silu
            | Op::Gelu
            | Op::GeluTanh
            | Op::Elu { .. }
            | Op::Softplus
            | Op::Clamp { .. } => Some(Kind::Table),
            Op::Sigmoid | Op::HardSigmoid => {
                fixed = Some(Fixed::Unit);
                Some(Kind::Table)
            }
            Op::Tanh => {
                fixed = Some(Fixed::Signed);
                Some(Kind::Table)
            }
            // Neither has TensorFlow Lite any with gaps.
            Op::MaxPool { window } if window.dilation[0] > 1 || window.dilation[1] > 1 => {
                return Err(unsupported(&graph[i]));
            }
            Op::MaxPool { .. } if is_taken(steps, i) => None,
            Op::MaxPool { .. } | Op::GlobalMaxPool => Some(Kind::MaxPool),
            Op::AvgPool { .. } => Some(Kind::AvgPool),
            Op::GlobalAvgPool => Some(Kind::Mean),
            Op::Softmax => {
                fixed = Some(Fixed::Unit);
                Some(Kind::Softmax)
            }
            Op::Add { .. } => Some(Kind::Add),
            Op::Scale { .. } => Some(Kind::Product),
            Op::Dropout { .. } | Op::Flatten | Op::Branch { .. } => match step.arena.how {
                How::Copy => Some(Kind::Copy),
                How::Skip | How::InPlace | How::Apart => None,
            },
            Op::Upsample { .. }
            | Op::ChannelShuffle { .. }
            | Op::DepthToSpace { .. }
            | Op::SpaceToDepth { .. } => Some(Kind::Move),
            Op::ConvTranspose { .. }
            | Op::Lrn { .. }
            | Op::Own { .. }
            | Op::Network { .. }
            | Op::UpsampleBilinear { .. }
            | Op::UpsampleAligned { .. }
            | Op::Pad { .. }
            | Op::PadDepth { .. }
            | Op::Crop { .. }
            | Op::GroupNorm { .. }
            | Op::LayerNorm { .. }
            | Op::LayerNormVolume { .. }
            | Op::LogSoftmax
            | Op::Slices { .. }
            | Op::Prelu
            | Op::Affine
            | Op::Normalize { .. }
            | Op::Outputs { .. } => return Err(unsupported(&graph[i])),
        };
        match (kind, op) {
            (None, _) => {
                clampable[i] = i > 0 && own && clampable[i - 1];
                if !matches!(clamp, Clamp::None) || matches!(op, Op::BatchNorm { .. }) {
                    let range = &mut ranges[x - 1];
                    (range.observed, range.clamp) = (i + 1, range.clamp.then(clamp));
                }
            }
            (Some(Kind::MaxPool), _) => clampable[i] = i > 0 && own && clampable[i - 1],
            (Some(Kind::AvgPool | Kind::Move | Kind::Copy), _) => {}
            (Some(_), Op::Concat { onto: Some(v), .. }) => {
                of[i] = of[v - 1];
                ranges[of[i] - 1].observed = i + 1;
            }
            (Some(kind), _) => {
                clampable[i] = kind.is_conv()
                    || matches!(
                        kind,
                        Kind::Depthwise | Kind::Scale | Kind::Add | Kind::Product
                    );
                of[i] = all.volumes;
                all.volumes += 1;
                ranges[of[i] - 1] = Range {
                    observed: i + 1,
                    clamp,
                    fixed,
                };
            }
        }
        if let Some(kind) = kind {
            let (mut with, mut other) = (None, 0);
            if let Op::Add { with: v @ 1.., .. } | Op::Scale { with: v @ 1.. } = op {
                (with, other) = (at(steps[v - 1].arena.to), of[v - 1]);
            }
            let [filters, channels] = counts(kind, &sizes);
            let writer = match step.row_pool {
                Some(pool) => pool,
                None => i,
            };
            tasks[all.tasks] = Task {
                node: i,
                kind,
                sizes,
                pool: pooled,
                map: match pooled {
                    Some(_) => range(
                        at(step.arena.to),
                        step.rows * step.volume[1] * step.volume[2],
                    ),
                    None => [0; 2],
                },
                work: range(Some(step.scratch), step.work),
                copies: matches!(step.arena.how, How::Copy),
                x: at(step.arena.from),
                with,
                y: match at(steps[writer].arena.to) {
                    Some(byte) => byte,
                    None => 0,
                },
                slice: step.slice,
                volumes: [x, other, of[i]],
                filters: [all.filters, all.filters + filters],
                channels: [all.channels, all.channels + channels],
            };
            all.filters += filters;
            all.channels += channels;
            all.tasks += 1;
        }
        i += 1;
    }
    if let Some(last) = i.checked_sub(1) {
        all.scores = of[last];
        if let Some(byte) = at(steps[last].arena.to) {
            all.output = byte;
        }
    }
    Ok(all)
}

/// How an int8 network is planned.
pub(super) const OPTIONS: Options = Options {
    elements: Elements::All(ElementType::I8),
    int8: true,
    ..Options::DEFAULT
};

/// The layers of a graph, and their names.
const fn parts<const N: usize>(graph: &[Node<'static>]) -> ([Op; N], [&'static str; N]) {
    let (mut ops, mut names, mut i) = ([Op::Flatten; N], [""; N], 0);
    while i < N {
        (ops[i], names[i]) = (graph[i].op, graph[i].name);
        i += 1;
    }
    (ops, names)
}

impl Program<'_> {
    /// How the tiles of a first layer step through its rows, and whether its pool takes their sums.
    pub(super) const fn steps(&self) -> (Steps, bool) {
        match self.tasks {
            [
                Task {
                    kind: Kind::Rows,
                    sizes,
                    pool,
                    map,
                    ..
                },
                ..,
            ] => (
                Steps::of_pooled(sizes, pool.as_ref()),
                pool.is_some() && map[1] == 0,
            ),
            _ => (Steps::NONE, false),
        }
    }

    /// Whether a task copies what it reads.
    pub(super) const fn copies(&self) -> bool {
        let mut at = 0;
        while at < self.tasks.len() {
            if self.tasks[at].copies {
                return true;
            }
            at += 1;
        }
        false
    }

    /// How each task is computed: which of all kinds there are.
    pub(super) const fn kinds(&self) -> [bool; KINDS] {
        let (mut kinds, mut at) = ([false; KINDS], 0);
        while at < self.tasks.len() {
            kinds[self.tasks[at].kind as usize] = true;
            at += 1;
        }
        kinds
    }
}

impl Kind {
    /// Of a `conv` or an `fc`.
    const fn of_conv(sizes: &Sizes, pool: Option<&Sizes>, is_first: bool) -> Self {
        let layout = match PAIRS {
            true => Layout::choose(sizes, pool, is_first),
            false => Layout::Plain,
        };
        match layout {
            Layout::Plain => Self::Conv,
            Layout::Dense => Self::Dense,
            Layout::Tiles => Self::Tiles,
            Layout::Rows => Self::Rows,
        }
    }

    /// How its filters lie, if it is a `conv` or an `fc`.
    pub(super) const fn layout(self) -> Option<Layout> {
        match self {
            Self::Conv => Some(Layout::Plain),
            Self::Dense => Some(Layout::Dense),
            Self::Tiles => Some(Layout::Tiles),
            Self::Rows => Some(Layout::Rows),
            Self::Depthwise
            | Self::Scale
            | Self::MaxPool
            | Self::AvgPool
            | Self::Mean
            | Self::Rescale
            | Self::Table
            | Self::Softmax
            | Self::Add
            | Self::Product
            | Self::Move
            | Self::Copy => None,
        }
    }

    /// Whether it is a `conv` or an `fc`.
    pub(super) const fn is_conv(self) -> bool {
        self.layout().is_some()
    }
}

impl Task {
    /// Whether it makes a branch of a `concat` a slice.
    pub(super) const fn is_slice(&self) -> bool {
        matches!(self.kind, Kind::Rescale) && self.sizes.x[2] != self.sizes.y[2]
    }

    /// Bytes of all that it needs.
    pub(super) const fn bytes(&self) -> usize {
        let [filters, channels] = [self.filters, self.channels];
        filters[1] - filters[0] + (channels[1] - channels[0]) * size_of::<Channel>()
    }

    /// Bytes of its filters in a file: without what a layout fills up.
    pub(super) const fn elements(&self) -> usize {
        let (k, [fh, fw]) = (self.sizes.y[2], self.sizes.filter);
        match self.kind.is_conv() {
            true => k * fh * fw * (self.sizes.x[2] / self.sizes.groups),
            false => self.filters[1] - self.filters[0],
        }
    }

    /// Where the byte of its filters that is at `at` in a file lies among them.
    pub(super) const fn place(&self, at: usize) -> usize {
        match self.kind.layout() {
            None | Some(Layout::Plain) => at,
            Some(layout) => {
                let len = self.elements() / self.sizes.y[2];
                layout.place(&self.sizes, at / len, at % len)
            }
        }
    }

    /// Of all bytes of filters and tables, its own, as they lie in a file: `[K][height][width][depth of a group]`, of
    /// a `depthwise` `[height][width][depth]`.
    pub fn bytes_among<'a>(&'a self, all: &'a [i8]) -> impl Iterator<Item = i8> + 'a {
        let own = all.get(self.filters[0]..self.filters[1]);
        let own = own.unwrap_or_default();
        (0..self.elements()).filter_map(|at| own.get(self.place(at)).copied())
    }

    pub(super) const NONE: Self = Self {
        node: 0,
        kind: Kind::Copy,
        sizes: Sizes {
            x: [0; 3],
            filter: [1; 2],
            stride: [1; 2],
            dilation: [1; 2],
            before: [0; 2],
            y: [0; 3],
            groups: 1,
        },
        pool: None,
        map: [0; 2],
        work: [0; 2],
        copies: false,
        x: None,
        with: None,
        y: 0,
        slice: 0,
        volumes: [0; 3],
        filters: [0; 2],
        channels: [0; 2],
    };
}

impl Range {
    pub(super) const NONE: Self = Self {
        observed: 0,
        clamp: Clamp::None,
        fixed: None,
    };
}

/// Bytes of filters or tables, and channels.
const fn counts(kind: Kind, sizes: &Sizes) -> [usize; 2] {
    let (k, [fh, fw]) = (sizes.y[2], sizes.filter);
    if let Some(layout) = kind.layout() {
        return [layout.bytes(sizes), k];
    }
    match kind {
        Kind::Conv | Kind::Dense | Kind::Tiles | Kind::Rows => [0, k],
        Kind::Depthwise | Kind::Scale => [k * fh * fw, k],
        Kind::Table => [256, 0],
        Kind::Add => [0, 3],
        Kind::Mean | Kind::Rescale | Kind::Softmax | Kind::Product => [0, 1],
        Kind::MaxPool | Kind::AvgPool | Kind::Move | Kind::Copy => [0, 0],
    }
}

/// What layer `i` reads and writes, and how a window slides over it.
const fn sizes_of(input: [usize; 3], steps: &[Step], i: usize, op: &Op) -> Sizes {
    let (volume, _) = op.reads(i);
    let x = match volume {
        0 => input,
        v => steps[v - 1].volume,
    };
    let step = &steps[i];
    let window = match op.window() {
        Some(window) => *window,
        None if matches!(op.sees(), Sees::Everything) => Window {
            size: [x[0], x[1]],
            ..Window::square(1, 1, 0)
        },
        None => Window::square(1, 1, 0),
    };
    Sizes {
        x,
        filter: window.size,
        stride: window.stride,
        dilation: window.dilation,
        before: step.before,
        y: step.volume,
        groups: match op.groups() {
            Some(groups) => *groups,
            None => 1,
        },
    }
}

/// Whether layer `i` is a pool that takes the rows of a `conv` as they come.
const fn is_taken(steps: &[Step], i: usize) -> bool {
    let mut before = i;
    while before > 0 {
        before -= 1;
        if let Some(pool) = steps[before].row_pool {
            return pool == i;
        }
    }
    false
}

/// So many bytes from there on; of none, the first byte.
const fn range(place: Option<usize>, len: usize) -> [usize; 2] {
    match place {
        Some(first) if len > 0 => [first, first + len],
        Some(_) | None => [0; 2],
    }
}

/// Whether layer `i` alone reads the volume before it.
const fn is_alone(ops: &[Op], i: usize) -> bool {
    let mut later = i;
    while later < ops.len() {
        if let Some(v) = ops[later].names()
            && v == i
        {
            return false;
        }
        later += 1;
    }
    true
}

/// Whether layer `i` is a `batch_norm` that is folded into the filters before it.
const fn is_folded(steps: &[Step], i: usize) -> bool {
    match i.checked_sub(1) {
        Some(before) => match steps[before].group {
            Some(group) => matches!(group.norm, Some(norm) if norm == i),
            None => false,
        },
        None => false,
    }
}

const fn at(place: Place) -> Option<usize> {
    match place {
        Place::At(byte) => Some(byte),
        Place::Input | Place::Output => None,
    }
}

pub(super) const fn unplanned() -> Message {
    let mut message = Message::new();
    message.push_str("the graph cannot be planned in i8");
    message
}

const fn unsupported(node: &Node<'_>) -> Message {
    let mut message = Message::new();
    message
        .push_str(node.name)
        .push_str(": `")
        .push_str(node.op.word().name)
        .push_str("` has no int8 form");
    message
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use crate::graph::{Elsewhere, Nested};

    /// Each is planned in bytes as any other is, and then refused by its name.
    #[test]
    fn layers_without_an_int8_form_are_named() {
        let words = [
            "conv_transpose(2, 2x2, stride = 2)",
            "lrn(5)",
            "upsample_bilinear(2x2)",
            "upsample_aligned(2x2)",
            "pad(1)",
            "pad_depth(8)",
            "crop(1)",
            "group_norm(2)",
            "layer_norm",
            "log_softmax",
            "slices(2)",
            "prelu",
            "affine",
            "normalize(mean = 0.5, std = 0.25)",
            "layer_norm_volume",
            "max_pool(2x2, stride = 1, dilation = 2)",
        ];
        let inner = Elsewhere {
            path: "Inner",
            nested: Nested {
                input: [4; 3],
                output: [4; 3],
                ..Nested::UNKNOWN
            },
            graph: &[],
        };
        let own = Op::Own {
            what: inner,
            learns: true,
            volume: [4; 3],
        };
        let outputs = Op::Outputs {
            onto: None,
            input: 0,
            last: true,
        };
        let others = [own, Op::Network { what: inner }, outputs];
        let read = words.map(|word| word.parse::<Op>().unwrap());
        for op in read.into_iter().chain(others) {
            let node = |name, op| Node {
                name,
                op,
                volume: [4; 3],
            };
            let graph = [node("relu1", Op::Relu), node("last", op)];
            let error = Planned::<2>::new([4; 3], &graph).unwrap_err();
            let expected = alloc::format!("last: `{}` has no int8 form", op.word().name);
            assert_eq!(error.as_str(), expected, "{op:?}");
        }
    }
}
