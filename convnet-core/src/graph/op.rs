//! The list of layers.

use super::{Decimals, Elsewhere, Takes, Word};
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
    /// A list of decimals.
    Decimals(&'a Decimals<D>),
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
    /// The one of that name: a list of decimals.
    fn decimals(&mut self, name: &'static str) -> Decimals<D>;
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

            /// K, how many filters there are, if it is said.
            #[must_use]
            pub const fn filters(&self) -> Option<&N> {
                ops!(@found self Filters None, $($name { $($($field $kind)*)? })*)
            }

            /// The same, to write.
            pub const fn filters_mut(&mut self) -> Option<&mut N> {
                ops!(@found self Filters None, $($name { $($($field $kind)*)? })*)
            }

            /// Into how many groups depth and filters are cut, if it is said.
            #[must_use]
            pub const fn groups(&self) -> Option<&N> {
                ops!(@found self Groups None, $($name { $($($field $kind)*)? })*)
            }

            /// The same, to write.
            pub const fn groups_mut(&mut self) -> Option<&mut N> {
                ops!(@found self Groups None, $($name { $($($field $kind)*)? })*)
            }

            /// How it slides, if it does.
            #[must_use]
            pub const fn window(&self) -> Option<&W> {
                ops!(@found self Slides None, $($name { $($($field $kind)*)? })*)
            }

            /// The same, to write.
            pub const fn window_mut(&mut self) -> Option<&mut W> {
                ops!(@found self Slides None, $($name { $($($field $kind)*)? })*)
            }

            /// What is declared elsewhere, if it is.
            #[must_use]
            pub const fn elsewhere(&self) -> Option<&P> {
                ops!(@found self Path None, $($name { $($($field $kind)*)? })*)
            }

            /// The earlier volume that is read beside the one before, or instead of it; volume v is what op
            /// v − 1 writes.
            #[must_use]
            pub const fn names(&self) -> Option<usize> {
                ops!(@found self Names None, $($name { $($($field $kind)*)? })*)
            }

            /// Whether its filters, if it has some, learn a bias each; of a `batch_norm`, whether its slices learn a
            /// factor and a summand each.
            #[must_use]
            pub const fn has_bias(&self) -> bool {
                ops!(@found self Bias true, $($name { $($($field $kind)*)? })*)
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
    (@map $to:ident Filters $it:ident) => { $to.number($it) };
    (@map $to:ident Groups $it:ident) => { $to.number($it) };
    (@map $to:ident Slides $it:ident) => { $to.window($it) };
    (@map $to:ident Decimal $it:ident) => { $to.decimal($it) };
    (@map $to:ident Decimals $it:ident) => { $it.map(|decimal| $to.decimal(decimal)) };
    (@map $to:ident Path $it:ident) => { $to.elsewhere($it) };
    (@map $to:ident Shape $it:ident) => { $it.each_ref().map(|number| $to.number(number)) };
    (@map $to:ident Bias $it:ident) => { *$it };
    (@map $to:ident Flag $it:ident) => { *$it };
    (@map $to:ident Names $it:ident) => { *$it };
    (@map $to:ident Index $it:ident) => { *$it };
    (@map $to:ident Maybe $it:ident) => { *$it };
    (@field Filters $it:ident) => { Field::Count($it) };
    (@field Groups $it:ident) => { Field::Count($it) };
    (@field Bias $it:ident) => { Field::Flag(*$it) };
    (@field Flag $it:ident) => { Field::Flag(*$it) };
    (@field Names $it:ident) => { Field::Index(*$it) };
    (@field Index $it:ident) => { Field::Index(*$it) };
    (@field Maybe $it:ident) => { Field::Maybe(*$it) };
    (@field $kind:ident $it:ident) => { Field::$kind($it) };
    (@read $from:ident Count $it:ident) => { $from.count(stringify!($it)) };
    (@read $from:ident Filters $it:ident) => { $from.count(stringify!($it)) };
    (@read $from:ident Groups $it:ident) => { $from.count(stringify!($it)) };
    (@read $from:ident Slides $it:ident) => { $from.window() };
    (@read $from:ident Decimal $it:ident) => { $from.decimal(stringify!($it)) };
    (@read $from:ident Decimals $it:ident) => { $from.decimals(stringify!($it)) };
    (@read $from:ident Path $it:ident) => { $from.elsewhere(stringify!($it)) };
    (@read $from:ident Shape $it:ident) => { $from.volume(stringify!($it)) };
    (@read $from:ident Bias $it:ident) => { $from.flag(stringify!($it)) };
    (@read $from:ident Flag $it:ident) => { $from.flag(stringify!($it)) };
    // The field of that kind, or `none`.
    (@found $op:ident $wanted:ident $none:expr, $($name:ident { $($field:ident $kind:ident)* })*) => {{
        let mut found = $none;
        match $op {
            $(Self::$name { $($field,)* .. } => { $(ops!(@get found $wanted $kind $field);)* })*
        }
        found
    }};
    (@get $found:ident Filters Filters $it:ident) => { $found = Some($it) };
    (@get $found:ident Groups Groups $it:ident) => { $found = Some($it) };
    (@get $found:ident Slides Slides $it:ident) => { $found = Some($it) };
    (@get $found:ident Path Path $it:ident) => { $found = Some($it) };
    (@get $found:ident Names Names $it:ident) => { $found = Some(*$it) };
    (@get $found:ident Names Maybe $it:ident) => { $found = *$it };
    (@get $found:ident Bias Bias $it:ident) => { $found = *$it };
    (@get $found:ident $wanted:ident $kind:ident $it:ident) => { let _ = $it; };
}

ops! {
    words {
        /// `conv(filters, window, groups)`.
        Conv: conv::conv {
            /// K, how many filters.
            filters: Filters as N,
            /// Into how many parts the depth and the filters are cut; each part of the filters sees
            /// one part of the depth.
            groups: Groups as N,
            /// Whether each filter learns a bias.
            bias: Bias as bool,
            /// How they slide.
            window: Slides as W,
        },
        /// `depthwise(window)`: one filter a depth slice.
        Depthwise: depthwise::depthwise {
            /// Whether each filter learns a bias.
            bias: Bias as bool,
            /// How they slide.
            window: Slides as W,
        },
        /// `conv_transpose(filters, window, output_pad, groups)`.
        ConvTranspose: conv_transpose::conv_transpose {
            /// K, how many filters.
            filters: Filters as N,
            /// How many rows and columns more it writes, below and right.
            output_pad: Count as N,
            /// Into how many parts the depth and the filters are cut; each part of the depth stamps one part
            /// of the filters.
            groups: Groups as N,
            /// Whether each filter learns a bias.
            bias: Bias as bool,
            /// How the conv slides whose way back this is.
            window: Slides as W,
        },
        /// `batch_norm`: at inference in place; in training not, and with [`moments`](crate::moments).
        BatchNorm: batch_norm::batch_norm {
            /// ε, added to the variance.
            eps: Decimal as D,
            /// How far a step moves the statistics to those of the batch.
            momentum: Decimal as D,
            /// Whether each depth slice learns a factor and a summand.
            affine: Bias as bool,
        },
        /// `group_norm(groups)`: groups of depth slices by the mean and variance of the image.
        GroupNorm: group_norm::group_norm {
            /// How many groups.
            groups: Groups as N,
            /// ε, added to the variance.
            eps: Decimal as D,
        },
        /// `layer_norm`: depth columns by their mean and variance.
        LayerNorm: layer_norm::layer_norm {
            /// ε, added to the variance.
            eps: Decimal as D,
        },
        /// `layer_norm_volume`: the volume by its mean and variance, number by number.
        LayerNormVolume: layer_norm_volume::layer_norm_volume {
            /// ε, added to the variance.
            eps: Decimal as D,
        },
        /// `affine`: each depth slice by a factor, and moved.
        Affine: affine::affine,
        /// `normalize(mean, std)`: each depth slice less its mean, divided by its deviation; both stand in the
        /// declaration.
        Normalize: normalize::normalize {
            /// The means.
            mean: Decimals as Decimals<D>,
            /// The deviations.
            std: Decimals as Decimals<D>,
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
        /// `prelu`.
        Prelu: prelu::prelu,
        /// `sigmoid`.
        Sigmoid: sigmoid::sigmoid,
        /// `tanh`.
        Tanh: tanh::tanh,
        /// `hard_sigmoid`.
        HardSigmoid: hard_sigmoid::hard_sigmoid,
        /// `hard_swish`.
        HardSwish: hard_swish::hard_swish,
        /// `silu`.
        Silu: silu::silu,
        /// `gelu`, by the exact normal distribution.
        Gelu: gelu::gelu,
        /// `gelu_tanh`, its approximation.
        GeluTanh: gelu_tanh::gelu_tanh,
        /// `elu(alpha)`.
        Elu: elu::elu {
            /// α.
            alpha: Decimal as D,
        },
        /// `softplus`.
        Softplus: softplus::softplus,
        /// `clamp(low, high)`.
        Clamp: clamp::clamp {
            /// What is below becomes that.
            low: Decimal as D,
            /// What is above becomes that.
            high: Decimal as D,
        },
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
        /// `upsample(size)`: each pixel repeated.
        Upsample: upsample::upsample {
            /// How many times: the size of a window, and its stride.
            window: Slides as W,
        },
        /// `upsample_bilinear(size)`: between pixels that are squares.
        UpsampleBilinear: upsample_bilinear::upsample_bilinear {
            /// How many times: the size of a window, and its stride.
            window: Slides as W,
        },
        /// `upsample_aligned(size)`: between pixels that are points, corner on corner.
        UpsampleAligned: upsample_aligned::upsample_aligned {
            /// How many times: the size of a window, and its stride.
            window: Slides as W,
        },
        /// `pad(pad)`: zeros around the volume.
        Pad: pad::pad {
            /// Of one pixel, with these zeros around its input.
            window: Slides as W,
        },
        /// `crop(pad)`: the volume without its border.
        Crop: crop::crop {
            /// Of one pixel; what would be its zeros is cut off.
            window: Slides as W,
        },
        /// `pad_depth(filters)`: slices of zeros behind the volume's own.
        PadDepth: pad_depth::pad_depth {
            /// K, how many depth slices there are then.
            filters: Filters as N,
        },
        /// `slices(filters, from)`: some of the depth slices.
        Slices: slices::slices {
            /// K, how many.
            filters: Filters as N,
            /// How many are left out in front of them.
            from: Count as N,
        },
        /// `channel_shuffle(groups)`.
        ChannelShuffle: channel_shuffle::channel_shuffle {
            /// How many groups.
            groups: Groups as N,
        },
        /// `depth_to_space(size)`: a depth column as so many pixels.
        DepthToSpace: depth_to_space::depth_to_space {
            /// How many times as wide and high: the size of a window, and its stride.
            window: Slides as W,
        },
        /// `space_to_depth(size)`: so many pixels as a depth column.
        SpaceToDepth: space_to_depth::space_to_depth {
            /// How many: the size of a window, and its stride.
            window: Slides as W,
        },
        /// `fc(filters)`.
        Fc: fc::fc {
            /// K, how many class scores or hidden neurons.
            filters: Filters as N,
            /// Whether each learns a bias.
            bias: Bias as bool,
        },
        /// `dropout(rate)`: nothing at inference; in training in place, with a mask as large as its volume.
        Dropout: dropout::dropout {
            /// The probability of dropping a value.
            rate: Decimal as D,
        },
        /// `softmax`.
        Softmax: softmax::softmax,
        /// `log_softmax`.
        LogSoftmax: log_softmax::log_softmax,
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
        /// Where a way begins that the volume before does not: the next layer reads this earlier volume.
        Branch: residual::shortcut {
            /// The volume.
            from: Names as usize,
        },
        /// The end of `residual { … }`: the sum of the volume before and an earlier one, in place.
        Add: residual::residual {
            /// The earlier volume: the block's input, or one before it (`shortcut { from = stem }`); or, if
            /// there are layers on the shortcut, what the block's own layers wrote before that began.
            with: Names as usize,
            /// The block's input.
            input: Index as usize,
        },
        /// The end of `scale { … }`: an earlier volume times the one before, which is as large, or 1x1 and as
        /// deep.
        Scale: scale::scale {
            /// The earlier volume: the block's input.
            with: Names as usize,
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
        /// The end of a branch of `outputs { … }`: the volume before becomes the next part of a vector.
        Outputs: outputs::outputs {
            /// The parts that lie there already, by the branch before this one.
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
    Filters,
    Groups,
    Slides,
    Decimal,
    Decimals,
    Path,
    Shape,
    Bias,
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
            | Takes::Decimals { .. }
            | Takes::Unless(_)
            | Takes::Item
            | Takes::Shape => {}
        }
        at += 1;
    }
    read == word.args.len()
}
