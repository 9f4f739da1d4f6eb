//! The list of layers.

use super::{Elsewhere, Manner, Sees, Takes, Word};
use crate::layer;
use crate::shape::Window;

/// What a hyperparameter is; see [`Op::visit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'a, N = usize, W = Window, D = f64, P = Elsewhere<'static>> {
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

/// The arguments of a layer, from which [`Op::read`] makes one. What is wrong with one is theirs to
/// tell: they always answer.
pub trait Source<N, W, D, P> {
    /// The one of that name: a count.
    fn count(&mut self, name: &'static str) -> N;
    /// Those that say how a filter slides.
    fn window(&mut self) -> W;
    /// The one of that name: a decimal.
    fn decimal(&mut self, name: &'static str) -> D;
    /// The one of that name: something declared elsewhere.
    fn elsewhere(&mut self, name: &'static str) -> P;
    /// The one of that name: height, width, depth.
    fn volume(&mut self, name: &'static str) -> [N; 3];
    /// Whether there is a `bias`; or whether what was declared elsewhere `learns`.
    fn flag(&mut self, name: &'static str) -> bool;
}

macro_rules! ops {
    (words { $($words:tt)* } inner { $($inner:tt)* }) => {
        ops! { @all $($words)* $($inner)* }
        ops! { @words $($words)* }
    };
    (@all $(
        $(#[$docs:meta])*
        $name:ident: $room:ident::$word:ident
            $({ $($(#[$about:meta])* $field:ident: $kind:ident as $ty:ty,)* })?,
    )*) => {
        /// A layer, or where the ways of a block begin or meet; with every hyperparameter, in numbers
        /// `N`, windows `W` and decimals `D`. `P` is what is declared elsewhere.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Op<N = usize, W = Window, D = f64, P = Elsewhere<'static>> {
            $(
                $(#[$docs])*
                $name $({ $($(#[$about])* $field: $ty,)* })?,
            )*
        }

        impl<N, W, D, P> Op<N, W, D, P> {
            /// The name of the variant, `ConvTranspose`: that of the layer's type, if it has one.
            #[must_use]
            pub const fn variant(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => stringify!($name),)*
                }
            }

            /// What is known of the layer without its numbers; of what a block needs, of the block.
            #[must_use]
            pub const fn word(&self) -> &'static Word {
                match self {
                    $(Self::$name { .. } => &layer::$room::$word::WORD,)*
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
    (@words $(
        $(#[$docs:meta])*
        $name:ident: $room:ident::$word:ident
            $({ $($(#[$about:meta])* $field:ident: $kind:ident as $ty:ty,)* })?,
    )*) => {
        /// The word of every layer, in the order in which they are listed for users.
        pub const WORDS: &[&Word] = &[$(&layer::$room::$word::WORD),*];

        /// For the editor: see [`dsl`](crate::dsl).
        pub(crate) mod names {
            $(pub use crate::layer::$room::$word;)*
        }

        // A layer's arguments are its hyperparameters.
        const _: () = {
            $(assert!(read_from(&layer::$room::$word::WORD, &[$($((stringify!($field), Kind::$kind)),*)?]));)*
        };

        impl<N, W, D, P> Op<N, W, D, P> {
            /// The layer of that word, with these arguments; `None` if it is none of [`WORDS`].
            pub fn read<A: Source<N, W, D, P>>(word: &Word, from: &mut A) -> Option<Self> {
                $(
                    if word.name == stringify!($word) {
                        return Some(Self::$name $({ $($field: ops!(@read from $kind $field),)* })?);
                    }
                )*
                None
            }
        }
    };
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
    (@read $from:ident Count $it:ident) => { $from.count(stringify!($it)) };
    (@read $from:ident Slides $it:ident) => { $from.window() };
    (@read $from:ident Decimal $it:ident) => { $from.decimal(stringify!($it)) };
    (@read $from:ident Path $it:ident) => { $from.elsewhere(stringify!($it)) };
    (@read $from:ident Shape $it:ident) => { $from.volume(stringify!($it)) };
    (@read $from:ident Flag $it:ident) => { $from.flag(stringify!($it)) };
}

ops! {
    words {
        /// `conv(filters, window, groups)`.
        Conv: conv::conv {
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
        Depthwise: depthwise::depthwise {
            /// Whether each filter learns a bias.
            bias: Flag as bool,
            /// How they slide.
            window: Slides as W,
        },
        /// `conv_transpose(filters, window)`.
        ConvTranspose: conv_transpose::conv_transpose {
            /// K, how many filters.
            filters: Count as N,
            /// How the conv slides whose way back this is.
            window: Slides as W,
        },
        /// `batch_norm`: at inference in place; in training not, and with [`moments`](crate::moments).
        BatchNorm: batch_norm::batch_norm {
            /// ε, added to the variance.
            eps: Decimal as D,
        },
        /// `lrn`: depth slices against their neighbours.
        Lrn: lrn::lrn {
            /// n, how many neighbours are seen.
            size: Count as N,
            /// α.
            alpha: Decimal as D,
            /// β.
            beta: Decimal as D,
            /// k.
            k: Decimal as D,
        },
        /// `relu`.
        Relu: relu::relu,
        /// `relu6`.
        Relu6: relu6::relu6,
        /// `leaky_relu(slope)`.
        LeakyRelu: leaky_relu::leaky_relu {
            /// The slope below zero.
            slope: Decimal as D,
        },
        /// `sigmoid`.
        Sigmoid: sigmoid::sigmoid,
        /// `tanh`.
        Tanh: tanh::tanh,
        /// `hard_swish`.
        HardSwish: hard_swish::hard_swish,
        /// `max_pool(window)`.
        MaxPool: max_pool::max_pool {
            /// How its windows slide.
            window: Slides as W,
        },
        /// `avg_pool(window)`; padding is not counted in the average.
        AvgPool: avg_pool::avg_pool {
            /// How its windows slide.
            window: Slides as W,
        },
        /// `global_avg_pool`.
        GlobalAvgPool: global_avg_pool::global_avg_pool,
        /// `global_max_pool`.
        GlobalMaxPool: global_max_pool::global_max_pool,
        /// `fc(filters)`.
        Fc: fc::fc {
            /// K, how many class scores or hidden neurons.
            filters: Count as N,
        },
        /// `dropout(rate)`: nothing at inference; in training in place, with a mask as large as its volume.
        Dropout: dropout::dropout {
            /// The probability of dropping a value.
            rate: Decimal as D,
        },
        /// `softmax`.
        Softmax: softmax::softmax,
        /// `flatten`: nothing at all.
        Flatten: flatten::flatten,
        /// `layer(what, volume)`: one written by hand; backward reads its input.
        Own: by_hand::layer {
            /// The value, or the type.
            what: Path as P,
            /// Whether it is a type, with parameters.
            learns: Flag as bool,
            /// The volume that it writes: height, width, depth.
            volume: Shape as [N; 3],
        },
        /// `network(what)`: one that is declared elsewhere.
        Network: nested::network {
            /// Its path.
            what: Path as P,
        },
    }
    // Where the ways of a block begin or meet, and what the plan makes of layers.
    inner {
        /// A `max_pool` at the end of a group that is computed row by row: at inference there are only
        /// as many rows of the `conv` at a time as a window sees, and the [clamps](Self::is_clamp) in
        /// between come after the pool.
        RowPool: max_pool::max_pool {
            /// How its windows slide.
            window: Slides as W,
            /// How many layers before it the `conv` stands.
            back: Index as usize,
        },
        /// Where the second way through a block begins: the next layer reads this earlier volume.
        Branch: residual::shortcut {
            /// The volume.
            from: Index as usize,
        },
        /// The end of `residual { … }`: the sum of the volume before and an earlier one, in place.
        Add: residual::residual {
            /// The earlier volume: the block's input; or, if there are layers on the shortcut, what
            /// the block's own layers wrote before the shortcut began.
            with: Index as usize,
            /// The block's input.
            input: Index as usize,
        },
        /// The end of a branch of `concat { … }`: the volume before becomes the next slice of a deeper
        /// one.
        Concat: concat::concat {
            /// The slices that lie there already, by the branch before this one.
            onto: Maybe as Option<usize>,
            /// The block's input.
            input: Index as usize,
            /// Whether this is the last branch. If not, a [`Branch`](Self::Branch) follows.
            last: Flag as bool,
        },
    }
}

/// What a field of [`Op`] is read from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Slides,
    Decimal,
    Path,
    Shape,
    Flag,
}

/// Whether each of a layer's fields has an argument of its name, and each argument a field; a window
/// has several. (That a layer by hand learns is said by its path.)
const fn read_from(word: &Word, fields: &[(&str, Kind)]) -> bool {
    let (mut slides, mut read, mut at) = (false, 0, 0);
    while at < fields.len() {
        let (name, kind) = fields[at];
        match (kind, word.arg(name)) {
            (Kind::Slides, _) => slides = true,
            (Kind::Flag, None) => {}
            (_, None) => return false,
            (_, Some(_)) => read += 1,
        }
        at += 1;
    }
    at = 0;
    while at < word.args.len() {
        match word.args[at].takes {
            Takes::Size | Takes::Stride(_) | Takes::Dilation | Takes::Pad | Takes::Remainder => {
                if !slides {
                    return false;
                }
                read += 1;
            }
            Takes::Count { .. }
            | Takes::Decimal { .. }
            | Takes::Bias
            | Takes::Item
            | Takes::Shape => {}
        }
        at += 1;
    }
    read == word.args.len()
}

impl<N, W, D, P> Op<N, W, D, P> {
    /// How it works.
    #[must_use]
    pub const fn manner(&self) -> Manner {
        match self {
            // A type, with parameters.
            Self::Own { learns: true, .. } => Manner::Filters,
            op => op.word().manner,
        }
    }

    /// What each output sees of the input.
    #[must_use]
    pub const fn sees(&self) -> Sees {
        self.word().sees
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

    /// Whether it is a line of a table: of a block, the end is.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        !matches!(self, Self::Branch { .. } | Self::Concat { last: false, .. })
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
