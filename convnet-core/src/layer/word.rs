//! What is known of a layer without its numbers: its word, its arguments, and how it works.
//!
//! ```text
//!  layer/softmax.rs   word! { /// docs  softmax {} … }   the word, beside forward and backward
//!            │
//!            ▼
//!  graph::Op::Softmax, graph::WORDS ──▶ what convnet! reads, plans, emits; convnet::dsl, for the editor
//! ```

use core::ops::Bound;

use super::batch_norm::EPS;
use crate::text::same;

/// A layer's word, `conv`, and what is known of the layer without its numbers.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::WORDS;
///
/// let conv = WORDS.iter().find(|word| word.name == "conv").unwrap();
/// assert_eq!(conv.example, "conv(12, 5x5, stride = 1, pad = 2)");
/// assert_eq!(conv.args[0].name, "filters");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Word {
    /// What is written.
    pub name: &'static str,
    /// How a line with it looks.
    pub example: &'static str,
    /// Its arguments; those that may stand without their names come first, in this order.
    pub args: &'static [Arg],
    /// How the layer works.
    pub manner: Manner,
    /// What each output sees of the input.
    pub sees: Sees,
    /// The arguments of the layer's type behind its scalar, if it has parameters; or all, if it has none.
    pub generics: &'static [Generic],
    /// Its tensors, in the order of its type's fields.
    pub tensors: &'static [TensorOf],
    /// What it is called elsewhere: in small letters, without `_` and the dimensions behind it, as
    /// `batchnormalization` for Keras's `BatchNormalization` and ONNX's.
    pub elsewhere: &'static [&'static str],
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
    /// A volume meets what its layers made of it in a product; backward reads both.
    Multiplies,
    /// A way becomes a slice.
    Concatenates,
}

/// What each output of a layer sees of the input, from which the size of the output and the receptive
/// field follow. A layer with filters writes as many depth slices; every other one as many as it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sees {
    /// The pixel in its own place, with its depth column.
    Pixel,
    /// What a filter covers, which slides over the input with zeros around it.
    Slides,
    /// What a window covers, one pixel at least.
    Pools,
    /// As many pixels as stamp their filters there.
    Stamps,
    /// The pixel that is there, or a zero around all.
    Padded,
    /// The pixels between which it lies.
    Between,
    /// All of it: there is one pixel of output.
    Everything,
    /// All of it, and writes as much.
    All,
    /// Nobody knows: it is written by hand, and the declaration says what it writes.
    Anything,
    /// What the network sees that it is.
    Inner,
}

/// A length that follows from what a layer reads, from its arguments and from what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The height of what it reads.
    InputHeight,
    /// The width of what it reads.
    InputWidth,
    /// The depth of what it reads.
    InputDepth,
    /// The height of a filter, without gaps.
    FilterHeight,
    /// The width of a filter, without gaps.
    FilterWidth,
    /// The depth that one filter sees: that of its group; of a stamp, the depth that it stamps.
    FilterDepth,
    /// The depth of what it writes.
    Depth,
    /// 1.
    One,
}

/// An argument of a layer's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generic {
    /// A length.
    Length(Length),
    /// How the filter slides: a [`Slide`](crate::layer::Slide).
    Slide,
    /// The depth of a group; left out where there is one.
    Group,
    /// The bits of the decimal of that name; left out where it is what it is by default, and so are all behind it.
    Bits(&'static str),
    /// Whether there is what may be `none`, `bias`; left out in the same way.
    Unless,
}

/// A tensor of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorOf {
    /// The field of the layer's type.
    pub field: &'static str,
    /// What it is for.
    pub role: RoleOf,
    /// Its axes, the first outermost.
    pub shape: &'static [Length],
}

/// What a tensor is for: a [`Role`](crate::Role), without its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleOf {
    /// Filters that slide; each sees as much of the depth as the third axis says.
    Filters,
    /// Filters as large as what they read.
    Weights,
    /// Of filters; one that is not learned, by `bias = none`, is no tensor. Nor are the factor and the summand of a norm
    /// with `affine = none`.
    Bias,
    /// A factor.
    Gain,
    /// A summand.
    Shift,
    /// A factor below zero.
    Slope,
    /// The running mean, which moves by the decimal of that name.
    Mean(&'static str),
    /// The running variance, to which the decimal of the first name is added; it moves by that of the second.
    Variance(&'static str, &'static str),
}

impl RoleOf {
    /// Whether it is learned.
    #[must_use]
    pub const fn is_learned(self) -> bool {
        match self {
            Self::Filters | Self::Weights | Self::Bias | Self::Gain | Self::Shift | Self::Slope => {
                true
            }
            Self::Mean(_) | Self::Variance(..) => false,
        }
    }

    /// Whether a layer that is told so has none.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Bias | Self::Gain | Self::Shift)
    }
}

impl TensorOf {
    /// One number for each depth slice of the output.
    pub(crate) const fn slices(field: &'static str, role: RoleOf) -> Self {
        Self {
            field,
            role,
            shape: &[Length::Depth],
        }
    }

    /// One number for each of the input.
    pub(crate) const fn volume(field: &'static str, role: RoleOf) -> Self {
        Self {
            field,
            role,
            shape: &[Length::InputHeight, Length::InputWidth, Length::InputDepth],
        }
    }

    /// The filters of a layer that slides, or of one that does not.
    pub(crate) const fn filters(role: RoleOf, shape: &'static [Length]) -> Self {
        Self {
            field: "filters",
            role,
            shape,
        }
    }
}

/// An argument of a [`Word`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arg {
    /// Its name, `stride`.
    pub name: &'static str,
    /// Whether it may stand without its name.
    pub positional: bool,
    /// What it may be.
    pub takes: Takes,
}

/// What an [`Arg`] may be, and what it is where a declaration says nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Takes {
    /// A whole number, at least 1.
    Count {
        /// What it is if it is not written; it must be if there is nothing here.
        default: Option<usize>,
        /// What is said of 0.
        zero: &'static str,
        /// What is said of anything else.
        form: &'static str,
    },
    /// A decimal.
    Decimal {
        /// What it is if it is not written; it must be if there is nothing here.
        default: Option<f64>,
        /// The least and the most.
        range: (Bound<f64>, Bound<f64>),
        /// What is said of anything else.
        form: &'static str,
    },
    /// A decimal, or a list of them: `0.5`, `[0.485, 0.456, 0.406]`. It must be written.
    Decimals {
        /// The least and the most of each.
        range: (Bound<f64>, Bound<f64>),
        /// What is said of anything else.
        form: &'static str,
    },
    /// The width and height of a window: `5x5`.
    Size,
    /// How far a window steps: `2`, or across x down, `2x1`. If it is not written it is this or, if
    /// there is nothing here, as large as the window.
    Stride(Option<usize>),
    /// From one tap of a filter to the next, written as a stride; 1 if it is not.
    Dilation,
    /// Zeros around the input, none if nothing is written; see [`Padding`](crate::shape::Padding).
    Pad,
    /// What happens to a remainder; see [`Fit`](crate::shape::Fit).
    Remainder,
    /// `none`: that there is none of it, `bias = none`. There is if nothing is written; the text is what is said of
    /// anything else.
    Unless(&'static str),
    /// The path of something that is declared elsewhere.
    Item,
    /// A volume: width x height x depth.
    Shape,
}

/// How many numbers a list of decimals has at most: the 13 bands of Sentinel-2 are a deep image.
pub(crate) const MOST_DECIMALS: usize = 16;

/// A decimal for each depth slice, or one for all: the argument of a [`normalize`](crate::dsl::normalize). They lie in
/// place, so that a layer can be copied, and read from a text, without an allocator.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::Decimals;
///
/// let mean = Decimals::of([0.485, 0.456, 0.406]);
/// assert_eq!((mean.as_slice().len(), mean.at(2)), (3, Some(&0.406)));
/// assert_eq!(Decimals::of([0.5]).at(2), Some(&0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decimals<D = f64> {
    /// The list, and behind it what is no part of it.
    all: [D; MOST_DECIMALS],
    count: usize,
}

impl Decimals {
    /// These; 1 to 16 they are, or a program that has them as a constant does not compile.
    ///
    /// # Panics
    ///
    /// If there are none, or more.
    #[must_use]
    pub const fn of<const N: usize>(numbers: [f64; N]) -> Self {
        assert!(0 < N && N <= MOST_DECIMALS, "1 to 16 decimals");
        let (mut all, mut at) = ([0.0; MOST_DECIMALS], 0);
        while at < N {
            all[at] = numbers[at];
            at += 1;
        }
        Self { all, count: N }
    }

    /// Whether there is one for each slice of a volume, or one for all.
    pub(crate) const fn fits(&self, depth: usize) -> bool {
        self.count == 1 || self.count == depth
    }
}

impl<D> Decimals<D> {
    /// The first `count` of what `f` gives for 0, 1, …; as many as there can be, and one at least.
    #[doc(hidden)]
    pub fn first(count: usize, f: impl FnMut(usize) -> D) -> Self {
        Self {
            all: core::array::from_fn(f),
            count: count.clamp(1, MOST_DECIMALS),
        }
    }

    /// The list as it was written: of one, if that is for all.
    #[must_use]
    pub const fn as_slice(&self) -> &[D] {
        self.all.split_at(self.count).0
    }

    /// The one of a depth slice; none, if the list is shorter.
    #[must_use]
    pub const fn at(&self, slice: usize) -> Option<&D> {
        match self.count {
            1 => Some(&self.all[0]),
            count if slice < count => Some(&self.all[slice]),
            _ => None,
        }
    }

    /// The same in other numbers.
    pub fn map<E>(&self, f: impl FnMut(&D) -> E) -> Decimals<E> {
        Decimals {
            all: self.all.each_ref().map(f),
            count: self.count,
        }
    }
}

impl Word {
    /// A word that takes no arguments, if these are none.
    pub(crate) const fn new(
        name: &'static str,
        args: &'static [Arg],
        manner: Manner,
        sees: Sees,
    ) -> Self {
        Self {
            name,
            example: name,
            args,
            manner,
            sees,
            generics: &[],
            tensors: &[],
            elsewhere: &[],
        }
    }

    /// The argument of that name.
    #[must_use]
    pub const fn arg(&self, name: &str) -> Option<&'static Arg> {
        let mut at = 0;
        while at < self.args.len() {
            if same(self.args[at].name, name) {
                return Some(&self.args[at]);
            }
            at += 1;
        }
        None
    }
}

impl Arg {
    /// One that may stand without its name.
    pub(crate) const fn first(name: &'static str, takes: Takes) -> Self {
        Self {
            name,
            positional: true,
            takes,
        }
    }

    /// One that needs its name.
    pub(crate) const fn keyed(name: &'static str, takes: Takes) -> Self {
        Self {
            name,
            positional: false,
            takes,
        }
    }
}

impl Takes {
    /// K, how many filters.
    pub(crate) const FILTERS: Self = Self::Count {
        default: None,
        zero: "0 filters write no output: at least 1",
        form: "the number of filters is 1 or more, such as `12`",
    };

    /// Whether filters learn a bias each.
    pub(crate) const BIAS: Self =
        Self::Unless("every filter learns a bias unless it is told not to: `bias = none`");

    /// ε of a norm, added to the variance.
    pub(crate) const EPS: Self = Self::Decimal {
        default: Some(EPS),
        range: (Bound::Excluded(0.0), Bound::Excluded(1.0)),
        form: "eps is a number between 0 and 1, such as 1e-5",
    };

    /// What is said of a value that it is not.
    #[must_use]
    pub const fn form(&self) -> &'static str {
        match self {
            Self::Count { form, .. }
            | Self::Decimal { form, .. }
            | Self::Decimals { form, .. }
            | Self::Unless(form) => form,
            Self::Size => "a size is `5x5`",
            Self::Stride(_) | Self::Dilation => "a number, `2`, or one across and one down, `2x1`",
            Self::Pad => "pad is `2`, `same`, `(before, after)` or `(top, bottom, left, right)`",
            Self::Remainder => "fit is `exact`, `crop` (what is left over) or `pad` (with zeros)",
            Self::Item => "it is a path",
            Self::Shape => "a volume is width x height x depth: `32x32x12`",
        }
    }
}

/// A word of a declaration: a type of that name for the editor, which shows its documentation and that
/// of its arguments, with the [`Word`] as its constant. [`graph`](crate::graph) lists them; one that is
/// not listed is an error.
///
/// ```text
/// word! {
///     /// `fc(10)`: neurons that each see the whole volume.
///     fc {
///         /// K, how many neurons.
///         filters: usize = first(Takes::FILTERS),
///     }
///     Manner::Filters, Sees::Everything;
///     example: "fc(10)",
/// }
/// ```
macro_rules! word {
    (
        $(#[$docs:meta])*
        $name:ident { $($(#[$about:meta])* $arg:ident: $ty:ty = $how:ident($takes:expr),)* }
        $manner:expr, $sees:expr;
        $($field:ident: $value:expr,)*
    ) => {
        $(#[$docs])*
        #[allow(non_camel_case_types, missing_debug_implementations)]
        #[deny(dead_code)]
        pub struct $name {
            $($(#[$about])* pub $arg: $ty,)*
        }

        impl $name {
            /// What is known of it without its numbers.
            pub const WORD: $crate::layer::word::Word = {
                #[allow(unused_imports)]
                use $crate::layer::word::{
                    Arg, Generic, Length, Manner, RoleOf, Sees, Takes, TensorOf, Word,
                };
                const ARGS: &[Arg] = &[$(Arg::$how(stringify!($arg), $takes)),*];
                Word {
                    $($field: $value,)*
                    ..Word::new(stringify!($name), ARGS, $manner, $sees)
                }
            };
        }
    };
}
pub(crate) use word;
