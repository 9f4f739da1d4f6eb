//! Which volume is alive when. Moments:
//!
//! ```text
//!  arena   0 … L−1  forward of layer i at moment i
//!          L        the caller reads the scores
//!  tape    0 … L−1  forward of layer i at moment i
//!          L        the loss, which reads the scores
//!          … 2L     backward of layer i at moment 2L − i
//! ```
//!
//! A pass is written in two steps: here with the *owner* of a buffer as its place (the layer that
//! wrote it first), and once memory is assigned the `settle_` functions put in where that buffer
//! lies.

use super::memory::Buffer;
use super::{How, Op, Pass, Place, Step};

/// A layer's buffers: its output, the gradient on its input, a dropout's mask.
type Buffers = [Buffer; 3];
const Y: usize = 0;
const DX: usize = 1;
const MASK: usize = 2;

/// Inference: a volume dies when the next one is written.
pub(super) const fn arena(ops: &[Op], steps: &mut [Step], buffers: &mut [Buffers]) {
    let end = ops.len();
    let (mut from, mut i) = (Place::Input, 0);
    while i < end {
        let idle = matches!(ops[i], Op::Dropout | Op::Flatten);
        let how = match from {
            _ if ops[i].infers_apart() => How::Apart,
            // Somebody must write the output, if only the image again.
            Place::Input if idle && i + 1 < end => How::Skip,
            Place::Input => How::Copy,
            _ if idle => How::Skip,
            _ => How::InPlace,
        };
        let pass = pass(from, how, Place::At(i));
        buffers[i] = [Buffer::EMPTY; 3];
        run(pass, i, product(steps[i].volume), buffers, Y);
        steps[i].arena = pass;
        from = pass.to;
        i += 1;
    }
    keep(from, end, buffers, Y);
}

/// Training: what backward reads stays alive and unchanged until then.
pub(super) const fn tape(ops: &[Op], steps: &mut [Step], buffers: &mut [Buffers]) {
    let end = ops.len();
    let (mut from, mut i) = (Place::Input, 0);
    // Whether backward needs what lies at `from` as it is.
    let mut needed = false;
    while i < end {
        let how = match from {
            _ if ops[i].works_apart() => How::Apart,
            Place::Input if matches!(ops[i], Op::Flatten) && i + 1 == end => How::Copy,
            _ if matches!(ops[i], Op::Flatten) => How::Skip,
            Place::Input => How::Copy,
            _ if needed => How::Copy,
            _ => How::InPlace,
        };
        let pass = pass(from, how, Place::At(i));
        buffers[i] = [Buffer::EMPTY; 3];
        run(pass, i, product(steps[i].volume), buffers, Y);
        let backward = 2 * end - i;
        if ops[i].backward_reads_x() {
            keep(pass.from, backward, buffers, Y);
        }
        if ops[i].backward_reads_y() {
            keep(pass.to, backward, buffers, Y);
        }
        if matches!(ops[i], Op::Dropout) {
            buffers[i][MASK] = Buffer::new(product(steps[i].volume), i);
            buffers[i][MASK].keep(backward);
        }
        needed = ops[i].backward_reads_y() || (needed && matches!(how, How::Skip));
        steps[i].tape = pass;
        from = pass.to;
        i += 1;
    }
    keep(from, end, buffers, Y);
    gradients(ops, steps, buffers);
}

/// Backward: a gradient on a volume dies when the one before it is written. What needs only work
/// in place to become the gradient on the image is written to the caller's `d_input` at once.
const fn gradients(ops: &[Op], steps: &mut [Step], buffers: &mut [Buffers]) {
    let end = ops.len();
    let (mut first_apart, mut first_parameters) = (0, 0);
    while first_apart < end && !ops[first_apart].works_apart() {
        first_apart += 1;
    }
    while first_parameters < end && !ops[first_parameters].has_parameters() {
        first_parameters += 1;
    }
    let (mut from, mut i) = (Place::Output, end);
    while i > 0 {
        i -= 1;
        let how = match from {
            _ if ops[i].works_apart() => How::Apart,
            Place::Output if matches!(ops[i], Op::Flatten) && i > 0 => How::Skip,
            Place::Output => How::Copy,
            _ if matches!(ops[i], Op::Flatten) => How::Skip,
            _ => How::InPlace,
        };
        let fresh = if i <= first_apart {
            Place::Input
        } else {
            Place::At(i)
        };
        let pass = pass(from, how, fresh);
        let scalars = if i == 0 {
            0
        } else {
            product(steps[i - 1].volume)
        };
        run(pass, 2 * end - i, scalars, buffers, DX);
        steps[i].backward = pass;
        steps[i].on_request = i <= first_parameters;
        from = pass.to;
    }
}

const fn pass(from: Place, how: How, fresh: Place) -> Pass {
    let to = match how {
        How::Skip | How::InPlace => from,
        How::Apart | How::Copy => fresh,
    };
    Pass { from, to, how }
}

/// A pass needs what it reads, and begins a buffer where its output is a fresh one.
const fn run(pass: Pass, moment: usize, scalars: usize, buffers: &mut [Buffers], kind: usize) {
    if !matches!(pass.how, How::Skip) {
        keep(pass.from, moment, buffers, kind);
    }
    if let (How::Apart | How::Copy, Place::At(owner)) = (pass.how, pass.to) {
        buffers[owner][kind] = Buffer::new(scalars, moment);
    }
}

const fn keep(place: Place, until: usize, buffers: &mut [Buffers], kind: usize) {
    if let Place::At(owner) = place {
        buffers[owner][kind].keep(until);
    }
}

/// Puts places in for owners.
pub(super) const fn settle_arena(steps: &mut [Step], buffers: &[Buffers]) {
    let mut i = 0;
    while i < steps.len() {
        steps[i].arena = settle(steps[i].arena, buffers, Y);
        i += 1;
    }
}

/// Puts places in for owners.
pub(super) const fn settle_tape(steps: &mut [Step], buffers: &[Buffers]) {
    let mut i = 0;
    while i < steps.len() {
        steps[i].tape = settle(steps[i].tape, buffers, Y);
        steps[i].backward = settle(steps[i].backward, buffers, DX);
        steps[i].mask = buffers[i][MASK].at;
        i += 1;
    }
}

const fn settle(pass: Pass, buffers: &[Buffers], kind: usize) -> Pass {
    let Pass { from, to, how } = pass;
    Pass {
        from: settled(from, buffers, kind),
        to: settled(to, buffers, kind),
        how,
    }
}

const fn settled(place: Place, buffers: &[Buffers], kind: usize) -> Place {
    match place {
        Place::At(owner) => Place::At(buffers[owner][kind].at),
        caller => caller,
    }
}

const fn product([height, width, depth]: [usize; 3]) -> usize {
    height * width * depth
}
