//! What computes: the instruction set, the lanes of its vectors, and how many it keeps.

pub(crate) mod lanes;
pub(crate) mod level;
pub(crate) mod registers;
