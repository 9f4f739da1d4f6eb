//! The plan as a picture: which buffer lies where, from when until when.

use alloc::vec;
use alloc::vec::Vec;

use super::block::Readers;
use super::memory::Buffer;
use super::{Depth, Failure, Op, Options, Step, figures, group, liveness, memory};

/// A buffer of an arena or a tape: a rectangle of bytes and moments, which no other one meets.
///
/// In an arena of L layers, layer i computes at moment i, and the caller reads the scores at moment L. In a tape
/// the loss comes at moment L, and the way back through layer i is moment 2L − i.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The layer whose buffer it is; those that work in place in it have none of their own.
    pub layer: usize,
    /// What lies there.
    pub holds: Holds,
    /// At which byte.
    pub at: usize,
    /// How many bytes, in whole lines.
    pub bytes: usize,
    /// The first moment.
    pub from: usize,
    /// The last moment, inclusive.
    pub until: usize,
}

/// What lies in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// What a layer writes.
    Output,
    /// The gradient on what a layer reads.
    Gradient,
    /// What a layer keeps for itself: a mask, moments, the memory of a network.
    Own,
}

/// Which memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlaid {
    Arena,
    Tape,
}

/// The buffers of a memory. What layers of a tape work in for one call lies behind them.
pub(crate) fn lifetimes(
    input: [usize; 3],
    ops: &[Op],
    options: Options<'_>,
    which: Overlaid,
) -> Result<Vec<Lifetime>, Failure> {
    let mut readers = vec![Readers::NONE; ops.len()];
    let mut steps = vec![Step::EMPTY; ops.len()];
    let mut buffers = vec![[Buffer::EMPTY; 3]; ops.len()];
    Readers::find(ops, &mut readers);
    let how = (Depth::Sum, options.elements);
    figures::fill(input, ops, &readers, &mut steps, how)?;
    group::find(options, input, ops, &readers, &mut steps);
    match which {
        Overlaid::Arena => liveness::arena(ops, &readers, &mut steps, &mut buffers),
        Overlaid::Tape => {
            let image = options.elements.image(input);
            liveness::tape(image, ops, &readers, &mut steps, &mut buffers);
        }
    }
    // What is too large has no place, and was no plan.
    let _ = memory::assign(buffers.as_flattened_mut());
    let named = |(layer, buffers): (usize, &[Buffer; 3])| {
        let holds = [Holds::Output, Holds::Gradient, Holds::Own];
        let pairs = holds.into_iter().zip(*buffers);
        let there = pairs.filter(|(_, buffer)| buffer.size > 0);
        let lifetimes = there.map(move |(holds, buffer)| Lifetime {
            layer,
            holds,
            at: buffer.at,
            bytes: buffer.size,
            from: buffer.from,
            until: buffer.until,
        });
        lifetimes.collect::<Vec<_>>()
    };
    Ok(buffers.iter().enumerate().flat_map(named).collect())
}
