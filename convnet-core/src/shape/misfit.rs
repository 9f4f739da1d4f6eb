//! What can be wrong with a layer's numbers.

use core::fmt;

use super::Axis;
use crate::scalar::element::ElementType;
use crate::text::Text;

/// Why a layer cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The input has no height, no width or no depth.
    NoInput,
    /// K = 0.
    NoFilters,
    /// F = 0.
    NoSize,
    /// S = 0.
    NoStride,
    /// D = 0.
    NoDilation,
    /// The groups of a layer divide the depth of its input and its filters into equal parts, and
    /// these do not.
    Groups {
        /// How many groups.
        groups: usize,
        /// The depth of the input.
        depth: usize,
        /// How many filters.
        filters: usize,
    },
    /// `pad = same` keeps the size, and a stride other than 1 does not.
    Same {
        /// The stride.
        stride: usize,
    },
    /// The filter is larger than the padded input.
    Larger(Axis),
    /// As [`Larger`](Self::Larger), because an `fc` has left nothing to slide over.
    AfterFc(Axis),
    /// (W − F + 2P)/S + 1 is not an integer.
    Remainder(Axis),
    /// A transposed conv's padding crops everything that it writes.
    Cropped(Axis),
    /// A transposed conv writes more pixels behind its stamps than a conv of its stride drops.
    More {
        /// How many.
        more: usize,
        /// From how many on they are too many: its stride, or its dilation.
        step: usize,
    },
    /// The padding is as wide as the filter: a position could see nothing but padding. A pool has
    /// no maximum of nothing; a `conv` may have such a border on both sides, but not only at the
    /// end.
    Border(Axis),
    /// A `residual` whose ways end in different volumes; each is height, width, depth.
    Sum {
        /// What the block reads.
        input: [usize; 3],
        /// What its layers make of it.
        body: [usize; 3],
        /// What the shortcut makes of it, if it has layers.
        shortcut: Option<[usize; 3]>,
        /// Where the shortcut begins, if elsewhere: `from = …`.
        from: Option<[usize; 3]>,
    },
    /// A `scale` whose layers make of its input what cannot be multiplied with it; each is height, width,
    /// depth.
    Product {
        /// What the block reads.
        input: [usize; 3],
        /// What its layers make of it.
        body: [usize; 3],
    },
    /// A `concat` whose branches differ in height or width; each is height, width, depth.
    Slices {
        /// What the block reads; nothing, if its ways begin at volumes of several heights or widths.
        input: Option<[usize; 3]>,
        /// The slices so far.
        first: [usize; 3],
        /// Which branch differs from them, from 1.
        branch: usize,
        /// What it writes.
        other: [usize; 3],
    },
    /// `slices` of which some are not there.
    Missing {
        /// How many are wanted.
        filters: usize,
        /// How many lie in front of them.
        from: usize,
        /// How many there are.
        depth: usize,
    },
    /// A `pad_depth` to fewer depth slices than there are.
    Deeper {
        /// How many are wanted.
        filters: usize,
        /// How many there are.
        depth: usize,
    },
    /// A list of numbers that are neither one nor one for each depth slice.
    Numbers {
        /// Of what they are: `mean`.
        name: &'static str,
        /// How many there are.
        found: usize,
        /// How many slices there are.
        depth: usize,
    },
    /// A `crop` that leaves nothing of an axis.
    Nothing {
        /// How long the axis is.
        size: usize,
        /// How much is cut off.
        cut: usize,
    },
    /// An axis that is to be cut into parts, and does not come out even.
    Uneven {
        /// Which one: `depth`.
        axis: &'static str,
        /// How long it is.
        size: usize,
        /// How long a part is.
        by: usize,
    },
    /// A network that was declared for another volume than the one before it; each is height, width,
    /// depth.
    Reads {
        /// What it reads.
        expected: [usize; 3],
        /// What is there.
        found: [usize; 3],
    },
    /// A layer that works in place and is to change of what its volume is made; or nothing is said of
    /// that.
    Elements {
        /// Of what it reads.
        reads: Option<ElementType>,
        /// Of what it is to write.
        writes: Option<ElementType>,
    },
    /// A list of layers that is no graph: one names a volume that is not there, or not whole, or
    /// nobody reads what is there.
    Unlinked,
    /// A number, or what it leads to, is beyond what can be addressed.
    TooLarge(&'static str),
}

/// What of a layer is to be changed, if only one thing is.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The size of its filter.
    Size,
    /// Its padding.
    Padding,
    /// Its groups.
    Groups,
    /// How many rows and columns it adds.
    OutputPad,
}

impl Misfit {
    /// What is to be underlined.
    #[doc(hidden)]
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Groups { .. } => Blame::Groups,
            Self::More { .. } => Blame::OutputPad,
            Self::Same { .. } | Self::Border(_) | Self::Cropped(_) => Blame::Padding,
            _ => Blame::Size,
        }
    }

    /// Says what is wrong, with the numbers; `letter` is W for the width, H for the height.
    pub(crate) const fn write<const N: usize>(&self, text: &mut Text<N>, letter: &str) {
        match self {
            Self::NoInput => text.push_str("there is nothing to read: a side of the input is 0"),
            Self::NoFilters => text.push_str("0 filters write nothing: at least 1 is needed"),
            Self::NoSize => text.push_str("a filter of 0 sees nothing: at least 1 is needed"),
            Self::NoStride => text.push_str("with a stride of 0 the filter would never move"),
            Self::NoDilation => {
                text.push_str("with a dilation of 0 the filter would see one pixel: 1 is none")
            }
            Self::Groups {
                groups,
                depth,
                filters,
            } => write_groups(text, *groups, *depth, *filters),
            Self::Same { stride } => text
                .push_str("pad = same keeps height and width, and a stride of ")
                .push_number(*stride)
                .push_str(" does not"),
            Self::Larger(axis) => axis.write_larger(text),
            Self::AfterFc(axis) => text
                .push_str("an fc leaves 1x1 to slide over, and its filter is ")
                .push_number(axis.filter),
            Self::Remainder(axis) => axis.write_formula(text, letter),
            Self::Cropped(axis) => {
                text.push_str("S·(")
                    .push_str(letter)
                    .push_str(" − 1) + F − 2P = ");
                text.push_number(axis.stride).push_str("·(");
                text.push_number(axis.size).push_str(" − 1) + ");
                text.push_number(axis.filter).push_str(" − ");
                if axis.before == axis.after {
                    text.push_str("2·").push_number(axis.before);
                } else {
                    text.push_number(axis.before)
                        .push_str(" − ")
                        .push_number(axis.after);
                }
                text.push_str(" leaves nothing")
            }
            Self::More { more, step } => text
                .push_str("an output_pad of ")
                .push_number(*more)
                .push_str(" adds what no stamp could reach: less than ")
                .push_number(*step)
                .push_str(", the larger of stride and dilation, would fit"),
            Self::Border(axis) => axis
                .write_filter(text)
                .push_str(" could see nothing but the padding of ")
                .push_number(if axis.before > axis.after {
                    axis.before
                } else {
                    axis.after
                }),
            Self::Sum {
                input,
                body,
                shortcut,
                from,
            } => {
                text.push_str("it turns ")
                    .push_volume(*input)
                    .push_str(" into ");
                text.push_volume(*body);
                match (shortcut, from) {
                    (None, None) => text.push_str(", which cannot be added to its input"),
                    (None, Some(from)) => text
                        .push_str(", which cannot be added to the ")
                        .push_volume(*from)
                        .push_str(" of its shortcut"),
                    (Some(shortcut), from) => {
                        text.push_str(", and on its shortcut ");
                        if let Some(from) = from {
                            text.push_volume(*from).push_str(" ");
                        }
                        text.push_str("into ")
                            .push_volume(*shortcut)
                            .push_str(": they cannot be added")
                    }
                }
            }
            Self::Product { input, body } => {
                text.push_str("it turns ")
                    .push_volume(*input)
                    .push_str(" into ")
                    .push_volume(*body)
                    .push_str(", which cannot be multiplied with its input: ");
                text.push_volume([1, 1, input[2]])
                    .push_str(", a factor for each depth slice, or ")
                    .push_volume(*input)
                    .push_str(" can")
            }
            Self::Slices {
                first,
                branch,
                other,
                ..
            } => text
                .push_str("branch ")
                .push_number(*branch)
                .push_str(" writes ")
                .push_volume(*other)
                .push_str(" beside ")
                .push_volume(*first)
                .push_str(": height and width must be equal"),
            Self::Missing {
                filters,
                from,
                depth,
            } => text
                .push_str("slices ")
                .push_number(*from)
                .push_str(" to ")
                .push_number(from.saturating_add(*filters))
                .push_str(" are not all there: its input has a depth of ")
                .push_number(*depth),
            Self::Deeper { filters, depth } => text
                .push_str("its input has a depth of ")
                .push_number(*depth)
                .push_str(", which is more than ")
                .push_number(*filters),
            Self::Numbers { name, found, depth } => text
                .push_str("its ")
                .push_str(name)
                .push_str(" has ")
                .push_number(*found)
                .push_str(" numbers, and its input a depth of ")
                .push_number(*depth)
                .push_str(": one for each slice is needed, or one for all"),
            Self::Nothing { size, cut } => text
                .push_str("of ")
                .push_number(*size)
                .push_str(" rows or columns nothing is left without ")
                .push_number(*cut),
            Self::Uneven { axis, size, by } => text
                .push_str("its input has a ")
                .push_str(axis)
                .push_str(" of ")
                .push_number(*size)
                .push_str(", which is no multiple of ")
                .push_number(*by),
            Self::Reads { expected, found } => text
                .push_str("its network reads ")
                .push_volume(*expected)
                .push_str(", and the volume before it is ")
                .push_volume(*found),
            Self::Unlinked => text.push_str("it names a volume that it cannot read"),
            Self::Elements {
                reads: Some(reads),
                writes: Some(writes),
            } => text
                .push_str("it works in place on ")
                .push_str(reads.name())
                .push_str(" and cannot write ")
                .push_str(writes.name()),
            Self::Elements { .. } => text.push_str("nothing says of what it writes its volume"),
            Self::TooLarge(what) => text
                .push_str("its ")
                .push_str(what)
                .push_str(" is more than can be addressed"),
        };
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Text::<512>::new();
        self.write(&mut text, "W");
        f.pad(text.as_str())
    }
}

impl core::error::Error for Misfit {}

impl Axis {
    /// `a filter of 3`, `a filter of 3 with a dilation of 2`.
    const fn write_filter<'a, const N: usize>(&self, text: &'a mut Text<N>) -> &'a mut Text<N> {
        text.push_str("a filter of ").push_number(self.filter);
        if self.dilation == 1 {
            return text;
        }
        text.push_str(" with a dilation of ")
            .push_number(self.dilation)
    }

    /// `a filter of 11 is larger than the padded input: 5 + 2·2 = 9`; with a dilation, what it
    /// covers: `a filter of 3 with a dilation of 5 covers 11, more than …`.
    const fn write_larger<'a, const N: usize>(&self, text: &'a mut Text<N>) -> &'a mut Text<N> {
        self.write_filter(text);
        if self.dilation == 1 {
            text.push_str(" is larger than ");
        } else {
            text.push_str(" covers ")
                .push_number(self.covers())
                .push_str(", more than ");
        }
        if self.before + self.after == 0 {
            return text.push_str("the input of ").push_number(self.size);
        }
        text.push_str("the padded input: ").push_number(self.size);
        self.write_zeros(text);
        text.push_str(" = ")
            .push_number(self.before + self.size + self.after)
    }

    /// `(W − F + 2P)/S + 1 = (224 − 11 + 2·0)/4 + 1 = 54.25 is not an integer`; with a dilation
    /// `(W − D·(F − 1) − 1 + 2P)/S + 1`.
    const fn write_formula<'a, const N: usize>(
        &self,
        text: &'a mut Text<N>,
        letter: &str,
    ) -> &'a mut Text<N> {
        let zeros = if self.before == self.after {
            "2P"
        } else {
            "before + after"
        };
        let plain = self.dilation == 1;
        text.push_str("(")
            .push_str(letter)
            .push_str(if plain {
                " − F"
            } else {
                " − D·(F − 1) − 1"
            })
            .push_str(" + ")
            .push_str(zeros);
        text.push_str(")/S + 1 = (").push_number(self.size);
        text.push_str(" − ");
        if plain {
            text.push_number(self.filter);
        } else {
            text.push_number(self.dilation).push_str("·(");
            text.push_number(self.filter).push_str(" − 1) − 1");
        }
        self.write_zeros(text);
        text.push_str(")/")
            .push_number(self.stride)
            .push_str(" + 1 = ");

        let way = (self.before + self.size + self.after).saturating_sub(self.covers());
        text.push_number(way / self.stride + 1);
        write_fraction(text, way % self.stride, self.stride);
        text.push_str(" is not an integer")
    }

    /// ` + 2·1`, or ` + 1 + 2`.
    const fn write_zeros<const N: usize>(&self, text: &mut Text<N>) {
        if self.before == self.after {
            text.push_str(" + 2·").push_number(self.before);
        } else {
            text.push_str(" + ").push_number(self.before);
            text.push_str(" + ").push_number(self.after);
        }
    }
}

/// `3 groups do not divide the depth of its input, 8, nor its 16 filters`.
const fn write_groups<const N: usize>(
    text: &mut Text<N>,
    groups: usize,
    depth: usize,
    filters: usize,
) -> &mut Text<N> {
    if groups == 0 {
        return text.push_str("0 groups leave no filters: 1 is an ordinary conv");
    }
    let (bad_depth, bad_filters) = (
        !depth.is_multiple_of(groups),
        !filters.is_multiple_of(groups),
    );
    text.push_number(groups).push_str(" groups do not divide ");
    if bad_depth {
        text.push_str("the depth of its input, ").push_number(depth);
    }
    if bad_depth && bad_filters {
        text.push_str(", nor ");
    }
    if bad_filters {
        text.push_str("its ")
            .push_number(filters)
            .push_str(" filters");
    }
    text
}

/// The decimals of `rest / whole`: all if they are at most four, else two and an ellipsis.
const fn write_fraction<const N: usize>(text: &mut Text<N>, rest: usize, whole: usize) {
    let (mut decimals, mut left) = (0, rest);
    while left > 0 && decimals < 4 {
        left = left * 10 % whole;
        decimals += 1;
    }
    let ends = left == 0;
    text.push_str(".");
    left = rest;
    while decimals > 0 && (ends || decimals > 2) {
        text.push_number(left * 10 / whole);
        left = left * 10 % whole;
        decimals -= 1;
    }
    if !ends {
        text.push_str("…");
    }
}
