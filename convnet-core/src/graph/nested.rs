//! A network inside another, as the plan of the outer one sees it: a layer that needs memory of its
//! own while it works.

/// A network that is a layer of another. [`of`](Self::of) fills it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nested {
    /// The volume that it reads: height, width, depth.
    pub input: [usize; 3],
    /// The volume that it writes.
    pub output: [usize; 3],
    /// Learned scalars.
    pub parameters: usize,
    /// Scalars that are stored and not learned.
    pub fixed: usize,
    /// Multiply-adds of one forward pass.
    pub macs: u64,
    /// How much of its input one output sees: down, across.
    pub field: [usize; 2],
    /// How far two neighbours of the output lie apart on its input: down, across.
    pub jump: [usize; 2],
    /// Bytes of its arena, which lies in that of the outer network while this one works.
    pub arena: usize,
    /// As that, of the prepared network.
    pub prepared: usize,
    /// Bytes of its tape, which lies in that of the outer network from forward to backward.
    pub tape: usize,
    /// Whether it only stands in for a network that was declared wrong: what does not fit then is no
    /// mistake of its own.
    #[doc(hidden)]
    pub stands_in: bool,
}

impl Nested {
    /// One whose numbers nobody knows yet: from a scalar to a scalar.
    #[doc(hidden)]
    pub const UNKNOWN: Self = Self {
        input: [1; 3],
        output: [1; 3],
        parameters: 0,
        fixed: 0,
        macs: 0,
        field: [1; 2],
        jump: [1; 2],
        arena: 4,
        prepared: 4,
        tape: 4,
        stands_in: false,
    };

    /// A layer written by hand with so many scalars that are learned, and that are not.
    #[doc(hidden)]
    #[must_use]
    pub const fn learning([parameters, fixed]: [usize; 2]) -> Self {
        Self {
            parameters,
            fixed,
            ..Self::UNKNOWN
        }
    }
}
