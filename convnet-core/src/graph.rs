//! # Graph: what a network is
//!
//! ```text
//!                 Op<Written, …>  as it stands in a declaration, with its tokens
//!                      │ map
//!                      ▼
//!                 Op  in plain numbers ──▶ plan ──▶ what is emitted, printed, exported
//! ```
//!
//! One enum names every layer and all its hyperparameters, generic over what a number is. Nothing else
//! lists the layers: [`map`](Op::map), [`visit`](Op::visit) and the names come from the same lines, and
//! the [manner](Op::manner) in which a layer works is an exhaustive `match`.
//!
//! **Edges.** Volumes are counted: 0 is the image, i + 1 is what op i writes. An op reads the volume
//! before it; three name an earlier one too ([`Branch`](Op::Branch), [`Add`](Op::Add),
//! [`Concat`](Op::Concat)), and so a list of them is a graph.

mod nested;

pub use nested::Nested;

use crate::Tensor;
use crate::shape::Window;

/// What a hyperparameter is where a declaration says nothing.
pub mod defaults {
    /// ε of a `batch_norm`, as in PyTorch.
    pub const EPS: f64 = 1e-5;
    /// α of an `lrn`.
    pub const ALPHA: f64 = 1e-4;
    /// β of an `lrn`.
    pub const BETA: f64 = 0.75;
    /// k of an `lrn`.
    pub const K: f64 = 1.0;
    /// The slope of a `leaky_relu`.
    pub const SLOPE: f64 = 0.01;
}

/// A layer or a network that is declared elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elsewhere {
    /// What the declaration names.
    pub path: &'static str,
    /// Its numbers.
    pub nested: Nested,
    /// Its graph, if it is a network.
    pub graph: &'static [Node],
}

/// An op of a network, as [`Network::GRAPH`](crate::Network::GRAPH) lists them.
///
/// ```
/// use convnet_core::graph::{Node, Op};
///
/// /// Layer by layer, with the volumes that each reads: 0 is the image, v what op v − 1 writes.
/// fn edges(graph: &[Node]) -> Vec<(&str, Vec<usize>)> {
///     let reads = |(at, node): (usize, &Node)| node.op.reads(at).into_iter().flatten().collect();
///     let names = graph.iter().map(|node| node.name);
///     names.zip(graph.iter().enumerate().map(reads)).collect()
/// }
/// let add = Node { name: "residual1", word: "residual", op: Op::Add { with: 0, input: 0 }, volume: [8, 8, 3] };
/// let relu = Node { name: "relu1", word: "relu", op: Op::Relu, volume: [8, 8, 3] };
/// assert_eq!(edges(&[relu, add]), [("relu1", vec![0]), ("residual1", vec![1, 0])]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// Its name with those of its blocks, `block1.conv1`.
    pub name: &'static str,
    /// Its word, `conv`; of what a block needs, the block's.
    pub word: &'static str,
    /// What it does, with every hyperparameter.
    pub op: Op,
    /// The volume that it writes: height, width, depth.
    pub volume: [usize; 3],
}

impl Node {
    /// Of all tensors of a network, those of this layer, or of the network that it is.
    #[must_use]
    pub fn tensors<'a>(&self, all: &'a [Tensor]) -> &'a [Tensor] {
        let own = |tensor: &Tensor| {
            let rest = tensor.name.strip_prefix(self.name);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let first = all
            .iter()
            .position(own)
            .filter(|_| self.op.has_parameters());
        let rest = &all[first.unwrap_or(all.len())..];
        let count = rest.iter().take_while(|tensor| own(tensor)).count();
        &rest[..count]
    }
}

/// What a hyperparameter is; see [`Op::visit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a, N = usize, W = Window, D = f64, P = Elsewhere> {
    /// A count: of filters, of groups, of neighbours.
    Count(&'a N),
    /// How a filter slides.
    Slides(&'a W),
    /// A decimal.
    Decimal(&'a D),
    /// Something declared elsewhere.
    Path(&'a P),
    /// Height, width, depth.
    Shape(&'a [N; 3]),
    /// Yes or no.
    Flag(bool),
    /// A volume, or how far back.
    Index(usize),
    /// A volume, if there is one.
    Maybe(Option<usize>),
}

/// What makes other numbers of the numbers of an [`Op`]; see [`Op::map`].
pub trait Numbers<N, W, D, P> {
    /// What a number becomes.
    type Number;
    /// What a window becomes.
    type Window;
    /// What a decimal becomes.
    type Decimal;
    /// What becomes of something declared elsewhere.
    type Elsewhere;

    /// A count.
    fn number(&mut self, number: &N) -> Self::Number;
    /// How a filter slides.
    fn window(&mut self, window: &W) -> Self::Window;
    /// A decimal.
    fn decimal(&mut self, decimal: &D) -> Self::Decimal;
    /// Something declared elsewhere.
    fn elsewhere(&mut self, elsewhere: &P) -> Self::Elsewhere;
}

macro_rules! ops {
    (@map $to:ident Count $it:ident) => { $to.number($it) };
    (@map $to:ident Slides $it:ident) => { $to.window($it) };
    (@map $to:ident Decimal $it:ident) => { $to.decimal($it) };
    (@map $to:ident Path $it:ident) => { $to.elsewhere($it) };
    (@map $to:ident Shape $it:ident) => { $it.each_ref().map(|number| $to.number(number)) };
    (@map $to:ident Flag $it:ident) => { *$it };
    (@map $to:ident Index $it:ident) => { *$it };
    (@map $to:ident Maybe $it:ident) => { *$it };
    (@field Flag $it:ident) => { Field::Flag(*$it) };
    (@field Index $it:ident) => { Field::Index(*$it) };
    (@field Maybe $it:ident) => { Field::Maybe(*$it) };
    (@field $kind:ident $it:ident) => { Field::$kind($it) };
    ($(
        $(#[$docs:meta])*
        $name:ident $({ $($(#[$about:meta])* $field:ident: $kind:ident as $ty:ty,)* })?,
    )*) => {
        /// A layer, or where the ways of a block begin or meet; with every hyperparameter, in numbers
        /// `N`, windows `W` and decimals `D`. `P` is what is declared elsewhere.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Op<N = usize, W = Window, D = f64, P = Elsewhere> {
            $(
                $(#[$docs])*
                $name $({ $($(#[$about])* $field: $ty,)* })?,
            )*
        }

        impl<N, W, D, P> Op<N, W, D, P> {
            /// The name of the variant, `ConvTranspose`.
            #[must_use]
            pub const fn variant(&self) -> &'static str {
                match self {
                    $(Self::$name $({ $($field: _,)* })? => stringify!($name),)*
                }
            }

            /// The same in other numbers.
            pub fn map<M: Numbers<N, W, D, P>>(
                &self,
                to: &mut M,
            ) -> Op<M::Number, M::Window, M::Decimal, M::Elsewhere> {
                match self {
                    $(Self::$name $({ $($field,)* })? => Op::$name $({
                        $($field: ops!(@map to $kind $field),)*
                    })?,)*
                }
            }

            /// Calls `f` with the name of each hyperparameter and what it is.
            pub fn visit<'a>(&'a self, mut f: impl FnMut(&'static str, Field<'a, N, W, D, P>)) {
                match self {
                    $(Self::$name $({ $($field,)* })? => {
                        $($(f(stringify!($field), ops!(@field $kind $field));)*)?
                    })*
                }
            }
        }
    };
}

ops! {
    /// `conv(filters, window, groups)`.
    Conv {
        /// K, how many filters.
        filters: Count as N,
        /// Into how many parts the depth and the filters are cut; each part of the filters sees
        /// one part of the depth.
        groups: Count as N,
        /// Whether each filter learns a bias.
        bias: Flag as bool,
        /// How they slide.
        window: Slides as W,
    },
    /// `depthwise(window)`: one filter a depth slice.
    Depthwise {
        /// Whether each filter learns a bias.
        bias: Flag as bool,
        /// How they slide.
        window: Slides as W,
    },
    /// `conv_transpose(filters, window)`.
    ConvTranspose {
        /// K, how many filters.
        filters: Count as N,
        /// How the conv slides whose way back this is.
        window: Slides as W,
    },
    /// `batch_norm`: at inference in place; in training not, and with [`moments`](crate::moments).
    BatchNorm {
        /// ε, added to the variance.
        eps: Decimal as D,
    },
    /// `lrn`: depth slices against their neighbours.
    Lrn {
        /// n, how many neighbours are seen.
        size: Count as N,
        /// α.
        alpha: Decimal as D,
        /// β.
        beta: Decimal as D,
        /// k.
        k: Decimal as D,
    },
    /// `max_pool(window)`.
    MaxPool {
        /// How its windows slide.
        window: Slides as W,
    },
    /// A `max_pool` at the end of a group that is computed row by row: at inference there are only
    /// as many rows of the `conv` at a time as a window sees, and the [clamps](Self::is_clamp) in
    /// between come after the pool.
    RowPool {
        /// How its windows slide.
        window: Slides as W,
        /// How many layers before it the `conv` stands.
        back: Index as usize,
    },
    /// `avg_pool(window)`; padding is not counted in the average.
    AvgPool {
        /// How its windows slide.
        window: Slides as W,
    },
    /// `global_avg_pool`.
    GlobalAvgPool,
    /// `global_max_pool`.
    GlobalMaxPool,
    /// `fc(filters)`.
    Fc {
        /// K, how many class scores or hidden neurons.
        filters: Count as N,
    },
    /// `relu`.
    Relu,
    /// `relu6`.
    Relu6,
    /// `leaky_relu(slope)`.
    LeakyRelu {
        /// The slope below zero.
        slope: Decimal as D,
    },
    /// `sigmoid`.
    Sigmoid,
    /// `tanh`.
    Tanh,
    /// `hard_swish`.
    HardSwish,
    /// `softmax`.
    Softmax,
    /// `dropout(rate)`: nothing at inference; in training in place, with a mask as large as its volume.
    Dropout {
        /// The probability of dropping a value.
        rate: Decimal as D,
    },
    /// `flatten`: nothing at all.
    Flatten,
    /// `layer(what, volume)`: one written by hand; backward reads its input.
    Own {
        /// The value, or the type.
        what: Path as P,
        /// Whether it is a type, with parameters.
        learns: Flag as bool,
        /// The volume that it writes: height, width, depth.
        volume: Shape as [N; 3],
    },
    /// `network(what)`: one that is declared elsewhere.
    Network {
        /// Its path.
        what: Path as P,
    },
    /// Where the second way through a block begins: the next layer reads this earlier volume.
    Branch {
        /// The volume.
        from: Index as usize,
    },
    /// The end of `residual { … }`: the sum of the volume before and an earlier one, in place.
    Add {
        /// The earlier volume: the block's input; or, if there are layers on the shortcut, what
        /// the block's own layers wrote before the shortcut began.
        with: Index as usize,
        /// The block's input.
        input: Index as usize,
    },
    /// The end of a branch of `concat { … }`: the volume before becomes the next slice of a deeper
    /// one.
    Concat {
        /// The slices that lie there already, by the branch before this one.
        onto: Maybe as Option<usize>,
        /// The block's input.
        input: Index as usize,
        /// Whether this is the last branch. If not, a [`Branch`](Self::Branch) follows.
        last: Flag as bool,
    },
}

/// How a layer works: where it writes, and what backward reads again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Reads one volume and writes another, by filters or other parameters; backward reads the input.
    Filters,
    /// At inference in place; in training not, and with statistics. Backward reads the input.
    Normalises,
    /// Reads one volume and writes another, without parameters; backward reads the input.
    Selects,
    /// Reads one volume and writes another, without parameters; backward needs the gradient only.
    Averages,
    /// In place, and only cuts off: it never falls, so the largest of a window stays the largest.
    /// Backward reads the output.
    Clamps,
    /// In place; backward reads the output.
    Activates,
    /// At inference in place; in training not, for backward reads the input.
    ActivatesByInput,
    /// Nothing at inference; in training in place, with a mask.
    Drops,
    /// Nothing at all.
    Passes,
    /// A way of a block begins.
    Branches,
    /// Two ways meet in a sum, in place.
    Adds,
    /// A way becomes a slice.
    Concatenates,
}

impl<N, W, D, P> Op<N, W, D, P> {
    /// How it works.
    #[must_use]
    pub const fn manner(&self) -> Manner {
        match self {
            Self::Conv { .. }
            | Self::Depthwise { .. }
            | Self::ConvTranspose { .. }
            | Self::Fc { .. }
            | Self::Network { .. }
            | Self::Own { learns: true, .. } => Manner::Filters,
            Self::BatchNorm { .. } => Manner::Normalises,
            Self::MaxPool { .. }
            | Self::RowPool { .. }
            | Self::GlobalMaxPool
            | Self::Own { learns: false, .. } => Manner::Selects,
            Self::AvgPool { .. } | Self::GlobalAvgPool => Manner::Averages,
            Self::Relu | Self::Relu6 => Manner::Clamps,
            Self::LeakyRelu { .. } | Self::Sigmoid | Self::Tanh | Self::Softmax => {
                Manner::Activates
            }
            Self::HardSwish | Self::Lrn { .. } => Manner::ActivatesByInput,
            Self::Dropout { .. } => Manner::Drops,
            Self::Flatten => Manner::Passes,
            Self::Branch { .. } => Manner::Branches,
            Self::Add { .. } => Manner::Adds,
            Self::Concat { .. } => Manner::Concatenates,
        }
    }

    /// Whether it is a `relu` or a `relu6`.
    #[must_use]
    pub const fn is_clamp(&self) -> bool {
        matches!(self.manner(), Manner::Clamps)
    }

    /// Whether backward reads the layer's input again: then the tape keeps it. (`max_pool` looks
    /// for its maxima again; an average needs only the gradient.)
    #[must_use]
    pub const fn backward_reads_x(&self) -> bool {
        matches!(
            self.manner(),
            Manner::Filters | Manner::Normalises | Manner::Selects | Manner::ActivatesByInput
        )
    }

    /// Whether backward reads the layer's output again: then nothing may overwrite it in the tape.
    #[must_use]
    pub const fn backward_reads_y(&self) -> bool {
        matches!(self.manner(), Manner::Clamps | Manner::Activates)
    }

    /// Whether it learns.
    #[must_use]
    pub const fn has_parameters(&self) -> bool {
        matches!(self.manner(), Manner::Filters | Manner::Normalises)
    }

    /// Whether it writes another volume than the one that it reads, in training.
    #[must_use]
    pub const fn works_apart(&self) -> bool {
        match self.manner() {
            Manner::Filters
            | Manner::Normalises
            | Manner::Selects
            | Manner::Averages
            | Manner::ActivatesByInput
            | Manner::Concatenates => true,
            Manner::Clamps
            | Manner::Activates
            | Manner::Drops
            | Manner::Passes
            | Manner::Branches
            | Manner::Adds => false,
        }
    }

    /// Whether what it writes is as large as what it reads, whatever that is.
    #[must_use]
    pub const fn keeps_shape(&self) -> bool {
        match self.manner() {
            Manner::Normalises
            | Manner::ActivatesByInput
            | Manner::Clamps
            | Manner::Activates
            | Manner::Drops
            | Manner::Passes
            | Manner::Adds => true,
            Manner::Filters
            | Manner::Selects
            | Manner::Averages
            | Manner::Branches
            | Manner::Concatenates => false,
        }
    }

    /// Whether it works apart in training, and in place at inference.
    #[must_use]
    pub const fn infers_in_place(&self) -> bool {
        matches!(self.manner(), Manner::Normalises | Manner::ActivatesByInput)
    }

    /// Whether it writes another volume than the one that it reads, at inference.
    #[must_use]
    pub const fn infers_apart(&self) -> bool {
        self.works_apart() && !self.infers_in_place()
    }

    /// The volumes that it reads as op `at` of a list: 0 is the image, v is what op v − 1 writes.
    #[must_use]
    pub const fn reads(&self, at: usize) -> [Option<usize>; 2] {
        match self {
            Self::Branch { from } => [Some(*from), None],
            _ => [Some(at), self.names()],
        }
    }

    /// The earlier volume that is read beside the one before; volume v is what op v − 1 writes.
    #[must_use]
    pub const fn names(&self) -> Option<usize> {
        match self {
            Self::Branch { from } => Some(*from),
            Self::Add { with, .. } => Some(*with),
            Self::Concat { onto, .. } => *onto,
            _ => None,
        }
    }
}

impl Op {
    /// `conv(filters, window)`, in one group, with biases.
    #[must_use]
    pub const fn conv(filters: usize, window: Window) -> Self {
        Self::Conv {
            filters,
            groups: 1,
            bias: true,
            window,
        }
    }
}
