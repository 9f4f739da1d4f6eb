//! # Joined lists: the tensors, layers and packings of a network in which there are others
//!
//! ```text
//!  "" [conv1.filters, conv1.bias]   "stem." [conv1.filters]   ──▶   conv1.filters, conv1.bias,
//!                                                                   stem.conv1.filters
//! ```
//!
//! A macro does not see what another network is made of, and a `const fn` has no allocator: so the
//! generated program joins the lists in constants, whose lengths [`__join`](crate::__join) counts
//! first.

use crate::Tensor;
use crate::network::prepare::Packing;
use crate::plan::LayerInfo;
use crate::text::Text;

/// Some items, and what stands before their names.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a, I> {
    prefix: &'a str,
    items: &'a [I],
    /// Of what the items read: the receptive field, and how far two neighbours lie apart.
    reach: ([usize; 2], [usize; 2]),
    /// The image that is seen.
    image: [usize; 3],
}

impl<'a, I: Copy> Section<'a, I> {
    /// Items behind `prefix`, which ends in a dot; or none, for those of the network itself.
    #[must_use]
    pub const fn new(prefix: &'a str, items: &'a [I]) -> Self {
        Self {
            prefix,
            items,
            reach: ([1; 2], [1; 2]),
            image: [usize::MAX; 3],
        }
    }

    /// The same, of a network that reads a volume of such a reach on an `image`.
    #[must_use]
    pub const fn reading(self, reach: ([usize; 2], [usize; 2]), image: [usize; 3]) -> Self {
        Self {
            reach,
            image,
            ..self
        }
    }
}

/// How many items the sections have together.
#[must_use]
pub const fn count<I: Copy>(sections: &[Section<'_, I>]) -> usize {
    let (mut count, mut section) = (0, 0);
    while section < sections.len() {
        count += sections[section].items.len();
        section += 1;
    }
    count
}

/// For each kind of item: the bytes of the longest name, the names, and the items under them.
macro_rules! joins {
    ($($(#[$doc:meta])* $module:ident: $item:ty = $rename:path;)*) => { $(
        $(#[$doc])*
        pub mod $module {
            use super::*;

            /// The bytes of the longest name.
            #[must_use]
            pub const fn longest(sections: &[Section<'_, $item>]) -> usize {
                let (mut longest, mut section) = (0, 0);
                while section < sections.len() {
                    let mut at = 0;
                    while at < sections[section].items.len() {
                        let len = sections[section].prefix.len() + sections[section].items[at].name.len();
                        longest = if len > longest { len } else { longest };
                        at += 1;
                    }
                    section += 1;
                }
                longest
            }

            /// The names.
            #[must_use]
            pub const fn names<const N: usize, const L: usize>(
                sections: &[Section<'_, $item>],
            ) -> [Text<L>; N] {
                let (mut names, mut to, mut section) = ([Text::new(); N], 0, 0);
                while section < sections.len() {
                    let mut at = 0;
                    while at < sections[section].items.len() {
                        names[to].push_str(sections[section].prefix);
                        names[to].push_str(sections[section].items[at].name);
                        (to, at) = (to + 1, at + 1);
                    }
                    section += 1;
                }
                names
            }

            /// The items under their names.
            ///
            /// # Panics
            ///
            /// If there are none.
            #[must_use]
            pub const fn all<const N: usize, const L: usize>(
                sections: &[Section<'_, $item>],
                names: &'static [Text<L>; N],
            ) -> [$item; N] {
                let mut all = [first(sections).expect("there is an item"); N];
                let (mut to, mut section) = (0, 0);
                while section < sections.len() {
                    let mut at = 0;
                    while at < sections[section].items.len() {
                        let item = &sections[section].items[at];
                        all[to] = $rename(names[to].as_str(), item, &sections[section]);
                        (to, at) = (to + 1, at + 1);
                    }
                    section += 1;
                }
                all
            }
        }
    )* };
}

joins! {
    /// Of tensors.
    tensors: Tensor = rename::tensor;
    /// Of the lines of a table.
    layers: LayerInfo<'static> = rename::layer;
    /// Of packings.
    packings: Packing = rename::packing;
}

mod rename {
    use super::{LayerInfo, Packing, Section, Tensor};

    pub(super) const fn tensor(
        name: &'static str,
        item: &Tensor,
        _: &Section<'_, Tensor>,
    ) -> Tensor {
        Tensor { name, ..*item }
    }

    pub(super) const fn packing(
        name: &'static str,
        item: &Packing,
        _: &Section<'_, Packing>,
    ) -> Packing {
        Packing { name, ..*item }
    }

    /// The line of a table on what a network reads, as it stands in the table of the outer network.
    pub(super) const fn layer(
        name: &'static str,
        item: &LayerInfo<'static>,
        section: &Section<'_, LayerInfo<'static>>,
    ) -> LayerInfo<'static> {
        let ((field, jump), image) = (section.reach, section.image);
        let mut line = *item;
        line.name = name;
        let mut axis = 0;
        while axis < 2 {
            let grown = (item.field[axis] - 1).saturating_mul(jump[axis]);
            let field = field[axis].saturating_add(grown);
            line.field[axis] = if field < image[axis] {
                field
            } else {
                image[axis]
            };
            line.jump[axis] = jump[axis].saturating_mul(item.jump[axis]);
            axis += 1;
        }
        line
    }
}

/// The first item, if there is one.
const fn first<I: Copy>(sections: &[Section<'_, I>]) -> Option<I> {
    let mut section = 0;
    while section < sections.len() {
        if let [first, ..] = sections[section].items {
            return Some(*first);
        }
        section += 1;
    }
    None
}

/// The offsets of the sections, each behind that of what holds them.
#[must_use]
pub const fn offsets<const N: usize>(sections: &[(usize, &[usize])]) -> [usize; N] {
    let (mut all, mut to, mut section) = ([0; N], 0, 0);
    while section < sections.len() {
        let (base, offsets) = sections[section];
        let mut at = 0;
        while at < offsets.len() {
            all[to] = base + offsets[at];
            (to, at) = (to + 1, at + 1);
        }
        section += 1;
    }
    all
}

/// `__join!(tensors [sections of f32] [sections])`: a list that lives as long as the program. The first
/// sections give its length and its names, for which nothing generic may be asked.
#[doc(hidden)]
#[macro_export]
macro_rules! __join {
    ($module:ident: $item:ty, [$($named:expr),* $(,)?] [$($section:expr),* $(,)?]) => {{
        const __NAMED: &[$crate::join::Section<'static, $item>] = &[$($named),*];
        const __COUNT: ::core::primitive::usize = $crate::join::count(__NAMED);
        const __LONGEST: ::core::primitive::usize = $crate::join::$module::longest(__NAMED);
        const __NAMES: &[$crate::text::Text<__LONGEST>; __COUNT] =
            &$crate::join::$module::names(__NAMED);
        match __COUNT {
            0 => &[],
            _ => &$crate::join::$module::all::<__COUNT, __LONGEST>(&[$($section),*], __NAMES),
        }
    }};
}
