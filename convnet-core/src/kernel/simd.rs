//! What computes: the instruction set, and the lanes of its vectors.

pub(crate) mod lanes;
pub(crate) mod level;
