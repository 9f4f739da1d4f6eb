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

use super::block::Readers;
use super::elements::bytes;
use super::figures::learned;
use super::group::only_reader;
use super::memory::Buffer;
use super::{Flow, Group, How, Nested, Op, Pass, Place, Step};
use crate::graph::{Cut, Manner};

/// A layer's buffers: its output, the gradient on its input, and a dropout's mask, the moments of a
/// batch_norm, the memory of a network, or the gradient on what a `scale` names: of layer i, that is the
/// buffer of owner L + i.
type Buffers = [Buffer; 3];
const Y: usize = 0;
const DX: usize = 1;
const OWN: usize = 2;

/// Inference: a volume dies when the last layer has read it. Of a group whose pool asks for rows, nothing but
/// those is there.
pub(super) const fn arena(
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    buffers: &mut [Buffers],
) {
    forward(ops, readers, steps, buffers, Run::Arena);
}

/// Inference of a prepared network: a group writes one volume, or its pool none but its own.
pub(super) const fn prepared(
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    buffers: &mut [Buffers],
) {
    forward(ops, readers, steps, buffers, Run::Prepared);
}

/// Training: what backward reads stays alive and unchanged until then. The image takes `image` bytes.
pub(super) const fn tape(
    image: usize,
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    buffers: &mut [Buffers],
) {
    forward(ops, readers, steps, buffers, Run::Tape);
    gradients(image, ops, readers, steps, buffers);
}

/// Which forward pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Arena,
    Prepared,
    Tape,
}

const fn forward(
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    buffers: &mut [Buffers],
    run: Run,
) {
    let (end, training) = (ops.len(), matches!(run, Run::Tape));
    let mut group: Option<Group> = None;
    // Behind the last layer of a sum that a group is added to.
    let mut summed = 0;
    let (mut before, mut i) = (Place::Input, 0);
    while i < end {
        let op = ops[i];
        let named = match op.names() {
            Some(v) => place(steps, v, run),
            None => before,
        };
        let from = match op.branches_from() {
            Some(_) => named,
            None => before,
        };
        let idle = op.is_idle(training);
        let ([height, width, depth], element) = (steps[i].volume, steps[i].element);
        // How many rows are written, whether a group begins, and whether its pool reads what it reads.
        let (rows, begins, asks) = match run {
            Run::Arena => (steps[i].rows, steps[i].row_pool.is_some(), true),
            Run::Prepared => (steps[i].prepared.rows, true, steps[i].prepared.x_rows > 0),
            Run::Tape => (height, false, false),
        };
        let grouped = i < summed || matches!(group, Some(group) if group.holds(i));
        let how = match from {
            _ if grouped => How::Skip,
            _ if training && op.works_apart() => How::Apart,
            _ if !training && op.infers_apart() => How::Apart,
            // Somebody must write the output, if only the image again.
            Place::Input if idle && i + 1 < end => How::Skip,
            Place::Input => How::Copy,
            _ if idle => How::Skip,
            Place::At(owner) if buffers[owner][Y].is_named(i) => How::Copy,
            Place::At(owner) if buffers[owner][Y].is_kept(i) => How::Copy,
            Place::At(_) | Place::Output => How::InPlace,
        };
        let mut pass = pass(from, how, Place::At(i));
        let sum = match run {
            Run::Prepared => sum(ops, readers, steps, buffers, from, i),
            Run::Arena | Run::Tape => None,
        };
        buffers[i] = [Buffer::EMPTY; 3];
        if let Some((Some(_), _)) = op.ends_branch() {
            // Into the volume that the first branch began.
            pass.to = named;
            keep(from, i, buffers, Y);
        } else if let Some(sum) = sum {
            pass.to = sum.onto;
            summed = sum.add + 1 + sum.clamps;
            keep(from, i, buffers, Y);
        } else {
            begin(pass, i, bytes([rows, width, depth], element), buffers, Y);
        }
        if let Place::At(owner) = pass.to
            && i + 1 < end
        {
            buffers[owner][Y].name(readers[i + 1]);
        }
        if begins && let Some(it) = steps[i].group {
            group = Some(it);
            if asks && let Some(pool) = it.pool {
                keep(pass.from, pool, buffers, Y);
            }
        }
        keep(named, i, buffers, Y);
        if training {
            let backward = 2 * end - i;
            if op.backward_reads_x() {
                keep(pass.from, backward, buffers, Y);
            }
            if let Manner::Multiplies = op.manner() {
                keep(named, backward, buffers, Y);
            }
            if op.backward_reads_y() {
                keep(pass.to, backward, buffers, Y);
            }
            let own = match (op.manner(), op.cut()) {
                (Manner::Drops, _) => steps[i].bytes(),
                (_, Cut::Moments) => bytes([3, 2, depth], element),
                (_, Cut::Inside) => inner(&op).tape,
                (_, Cut::Nowhere | Cut::MicroBatches) => 0,
            };
            if own > 0 {
                buffers[i][OWN] = Buffer::new(own, i);
                buffers[i][OWN].keep(backward);
            }
        } else if matches!(op.cut(), Cut::Inside) {
            let own = match run {
                Run::Prepared => inner(&op).prepared,
                Run::Arena | Run::Tape => inner(&op).arena,
            };
            buffers[i][OWN] = Buffer::new(own, i);
        } else if steps[i].work > 0 && matches!(run, Run::Arena) {
            buffers[i][OWN] = Buffer::new(steps[i].work, i);
            if let Some(pool) = steps[i].row_pool {
                buffers[i][OWN].keep(pool);
            }
        }
        match run {
            Run::Arena => steps[i].arena = pass,
            Run::Prepared => {
                steps[i].prepared.pass = pass;
                steps[i].prepared.adds = match sum {
                    Some(sum) => Some(sum.clamps),
                    None => None,
                };
            }
            Run::Tape => steps[i].tape = pass,
        }
        before = pass.to;
        i += 1;
    }
    keep(before, end, buffers, Y);
}

/// A sum that is computed with the group before it, and how many clamps of it: `onto` the sum's other volume.
#[derive(Clone, Copy)]
struct Sum {
    add: usize,
    clamps: usize,
    onto: Place,
}

/// The sum behind the group that begins with layer `i`, which reads `from`, if nobody needs its other volume behind it.
const fn sum(
    ops: &[Op],
    readers: &[Readers],
    steps: &[Step],
    buffers: &[Buffers],
    from: Place,
    i: usize,
) -> Option<Sum> {
    let Some(group) = steps[i].group else {
        return None;
    };
    let Some(Op::Add { with, .. }) = only_reader(ops, readers, group.last()) else {
        return None;
    };
    let (add, onto) = (group.last() + 1, place(steps, with, Run::Prepared));
    let Place::At(owner) = onto else {
        return None;
    };
    let reads = matches!(from, Place::At(other) if other == owner);
    let needed = buffers[owner][Y].is_named(add + 1) || buffers[owner][Y].is_kept(add);
    if !ops[i].is_conv() || group.clamps > 0 || reads || needed {
        return None;
    }
    let mut clamps = 0;
    while let Some(op) = only_reader(ops, readers, add + clamps)
        && op.is_clamp()
    {
        clamps += 1;
    }
    Some(Sum { add, clamps, onto })
}

/// What is known of the network that a layer is.
const fn inner(op: &Op) -> Nested {
    match op.elsewhere() {
        Some(what) => what.nested,
        None => Nested::UNKNOWN,
    }
}

/// Where volume `v` lies.
const fn place(steps: &[Step], v: usize, run: Run) -> Place {
    match (v, run) {
        (0, _) => Place::Input,
        (_, Run::Arena) => steps[v - 1].arena.to,
        (_, Run::Prepared) => steps[v - 1].prepared.pass.to,
        (_, Run::Tape) => steps[v - 1].tape.to,
    }
}

/// Backward: a gradient on a volume is written by the last layer that read it; the earlier ones,
/// which come later, add to it; the layer that wrote the volume reads it, and then it dies. What
/// needs only work in place to become the gradient on the image is written to the caller's
/// `d_input` at once.
///
/// Every gradient lies alone in its buffer. Only `d_output` may not be written, and is aliased by
/// no volume to which anything is added.
const fn gradients(
    image_bytes: usize,
    ops: &[Op],
    readers: &[Readers],
    steps: &mut [Step],
    buffers: &mut [Buffers],
) {
    let end = ops.len();
    let lead = lead(ops, readers);
    // Where the gradient on volume v lies stands in `steps[v - 1].backward.pass.from`, and here.
    let (mut image, mut i) = (NOWHERE, 0);
    while i < end {
        steps[i].backward.pass.from = NOWHERE;
        i += 1;
    }
    steps[end - 1].backward.pass.from = Place::Output;
    while i > 0 {
        i -= 1;
        let (op, moment, dy) = (ops[i], 2 * end - i, steps[i].backward.pass.from);
        if let Op::Add { with, .. } = op {
            let sum = gradient(steps, image, with);
            let how = match sum {
                None => How::Copy,
                Some(_) => How::Skip,
            };
            let pass = pass(dy, how, fresh(with, lead, i));
            let bytes = written(image_bytes, steps, with);
            steps[i].shortcut = flow(pass, sum, moment, bytes, buffers);
            steps[i].shortcut.on_request = !learned(steps, with);
            settle_gradient(steps, &mut image, with, steps[i].shortcut);
        }
        if let Some((Some(v), _)) = op.ends_branch() {
            // Its slices are cut from the same gradient.
            steps[v - 1].backward.pass.from = dy;
        }
        let (v, _) = op.reads(i);
        let sum = gradient(steps, image, v);
        let how = match (op.manner(), dy) {
            _ if op.works_apart() => How::Apart,
            (Manner::Activates | Manner::Clamps | Manner::Drops, Place::Output) => How::Copy,
            (_, Place::Input) => How::InPlace,
            _ if sum.is_none() && v <= lead => How::Copy,
            (Manner::Branches, Place::Output) if sum.is_none() => How::Copy,
            (_, Place::Output | Place::At(_)) => How::InPlace,
        };
        let how = match (op.manner(), how) {
            (Manner::Passes | Manner::Branches | Manner::Adds, How::InPlace) => How::Skip,
            (_, how) => how,
        };
        let fresh = match sum {
            None => fresh(v, lead, i),
            Some(_) => Place::At(i),
        };
        let bytes = written(image_bytes, steps, v);
        steps[i].backward = flow(pass(dy, how, fresh), sum, moment, bytes, buffers);
        steps[i].backward.on_request = !learned(steps, v);
        settle_gradient(steps, &mut image, v, steps[i].backward);
        if let Op::Scale { with } = op {
            // Behind the gate's, which reads the gradient too: now it may be turned where it lies.
            let sum = gradient(steps, image, with);
            let (how, fresh) = match (sum, dy) {
                (Some(_), _) => (How::Skip, Place::Input),
                (None, _) if with <= lead => (How::Copy, Place::Input),
                (None, Place::At(_)) => (How::InPlace, Place::Input),
                (None, Place::Input | Place::Output) => (How::Copy, Place::At(end + i)),
            };
            let bytes = written(image_bytes, steps, with);
            steps[i].shortcut = flow(pass(dy, how, fresh), sum, moment, bytes, buffers);
            steps[i].shortcut.on_request = !learned(steps, with);
            settle_gradient(steps, &mut image, with, steps[i].shortcut);
        }
    }
}

/// No gradient yet.
const NOWHERE: Place = Place::At(usize::MAX);

/// How many layers work in place on the image before anything else does: the gradients on what
/// they read, and on what the next layer reads, may lie in the caller's `d_input`.
const fn lead(ops: &[Op], readers: &[Readers]) -> usize {
    let mut lead = 0;
    while lead < ops.len()
        && matches!(
            ops[lead].manner(),
            Manner::Activates | Manner::Clamps | Manner::Drops | Manner::Passes
        )
        && readers[lead].count == 0
    {
        lead += 1;
    }
    lead
}

const fn fresh(v: usize, lead: usize, owner: usize) -> Place {
    if v <= lead {
        Place::Input
    } else {
        Place::At(owner)
    }
}

/// Where the gradient on volume `v` lies, if there is one yet.
const fn gradient(steps: &[Step], image: Place, v: usize) -> Option<Place> {
    let place = match v {
        0 => image,
        _ => steps[v - 1].backward.pass.from,
    };
    match place {
        NOWHERE => None,
        Place::Input | Place::Output | Place::At(_) => Some(place),
    }
}

const fn settle_gradient(steps: &mut [Step], image: &mut Place, v: usize, flow: Flow) {
    let place = match flow.sum {
        Some(place) => place,
        None => flow.pass.to,
    };
    match v {
        0 => *image = place,
        _ => steps[v - 1].backward.pass.from = place,
    }
}

const fn flow(
    pass: Pass,
    sum: Option<Place>,
    moment: usize,
    bytes: usize,
    buffers: &mut [Buffers],
) -> Flow {
    begin(pass, moment, bytes, buffers, DX);
    if let Some(place) = sum {
        keep(pass.to, moment, buffers, DX);
        keep(place, moment, buffers, DX);
    }
    Flow {
        pass,
        sum,
        on_request: false,
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
const fn begin(pass: Pass, moment: usize, bytes: usize, buffers: &mut [Buffers], kind: usize) {
    if !matches!(pass.how, How::Skip) {
        keep(pass.from, moment, buffers, kind);
    }
    if let (How::Apart | How::Copy, Place::At(owner)) = (pass.how, pass.to) {
        let (layer, kind) = buffer(owner, kind, buffers.len());
        buffers[layer][kind] = Buffer::new(bytes, moment);
    }
}

/// The layer to which an owner's buffer belongs, and which of its buffers that is.
const fn buffer(owner: usize, kind: usize, layers: usize) -> (usize, usize) {
    match owner.checked_sub(layers) {
        Some(layer) => (layer, OWN),
        None => (owner, kind),
    }
}

const fn keep(place: Place, until: usize, buffers: &mut [Buffers], kind: usize) {
    if let Place::At(owner) = place {
        let (layer, kind) = buffer(owner, kind, buffers.len());
        buffers[layer][kind].keep(until);
    }
}

/// Puts places in for owners.
pub(super) const fn settle_arena(steps: &mut [Step], buffers: &[Buffers]) {
    let mut i = 0;
    while i < steps.len() {
        steps[i].arena = settle(steps[i].arena, buffers, Y);
        steps[i].scratch = buffers[i][OWN].at;
        i += 1;
    }
}

/// Puts places in for owners.
pub(super) const fn settle_prepared(steps: &mut [Step], buffers: &[Buffers]) {
    let mut i = 0;
    while i < steps.len() {
        steps[i].prepared.pass = settle(steps[i].prepared.pass, buffers, Y);
        steps[i].prepared.scratch = buffers[i][OWN].at;
        i += 1;
    }
}

/// Puts places in for owners.
pub(super) const fn settle_tape(steps: &mut [Step], buffers: &[Buffers]) {
    let mut i = 0;
    while i < steps.len() {
        steps[i].tape = settle(steps[i].tape, buffers, Y);
        steps[i].backward = settle_flow(steps[i].backward, buffers);
        steps[i].shortcut = settle_flow(steps[i].shortcut, buffers);
        steps[i].mask = buffers[i][OWN].at;
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

const fn settle_flow(flow: Flow, buffers: &[Buffers]) -> Flow {
    Flow {
        pass: settle(flow.pass, buffers, DX),
        sum: match flow.sum {
            Some(place) => Some(settled(place, buffers, DX)),
            None => None,
        },
        on_request: flow.on_request,
    }
}

const fn settled(place: Place, buffers: &[Buffers], kind: usize) -> Place {
    match place {
        Place::At(owner) => {
            let (layer, kind) = buffer(owner, kind, buffers.len());
            Place::At(buffers[layer][kind].at)
        }
        Place::Input | Place::Output => place,
    }
}

/// How many bytes volume `v` takes, or a gradient on it.
const fn written(image: usize, steps: &[Step], v: usize) -> usize {
    match v.checked_sub(1) {
        Some(layer) => steps[layer].bytes(),
        None => image,
    }
}
